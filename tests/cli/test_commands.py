"""The command line: one JSON object and nothing else, files that read back, one line and status 2 for a mistake."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.classifiers import downloads as published
from explorer.fetch import Remote
from explorer.images.gallery import sample
from tests.cli.running import run

ROOT = Path(__file__).resolve().parents[2]
QUICK = ["--model", "cifar10-standard", "--epsilon", "8/255", "--steps", "5", "--device", "cpu"]


def attack(capsys, out, *more: str):
    status, text, err = run(
        capsys, "attack", "gallery:cifar10-00", *QUICK, "--out", str(out), "--json", *more
    )
    assert status == 0, err
    return json.loads(text)


def test_attack_writes_what_it_says(capsys, tmp_path):
    said = attack(capsys, tmp_path)
    assert set(said) >= {"label", "adversarial", "success", "survives_8bit", "linf", "l2", "ssim"}
    assert said["success"]
    assert said["label"]["name"] == "cat"
    assert said["adversarial"]["name"] != "cat"
    assert 0 < said["linf"] <= 8 / 255 + 1e-6
    array = np.load(tmp_path / "adversarial.npy")
    assert (array.dtype, array.shape) == (np.float32, (3, 32, 32))
    png = np.asarray(Image.open(tmp_path / "adversarial.png"))
    assert np.array_equal(png, np.rint(array.transpose(1, 2, 0) * 255).astype(np.uint8))
    original = np.asarray(sample("cifar10-00").read()).transpose(2, 0, 1) / 255
    assert np.abs(array - original).max() == pytest.approx(said["linf"], abs=1e-6)
    assert np.linalg.norm(array - original) == pytest.approx(said["l2"], abs=1e-4)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "trace.csv").read_text())))
    assert len(rows) == 6
    assert (tmp_path / "triptych.pdf").read_bytes().startswith(b"%PDF")
    assert Image.open(tmp_path / "triptych.png").info["dpi"][0] == pytest.approx(300, abs=1)
    assert b"<svg" in (tmp_path / "triptych.svg").read_bytes()[:2000]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_rerun_gives_the_same_and_says_when_it_does_not(capsys, tmp_path):
    attack(capsys, tmp_path / "a")
    recipe = tmp_path / "a" / "recipe.json"
    status, text, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path / "b"), "--json")
    assert (status, json.loads(text)["differences"]) == (0, [])
    assert "the same again" in err
    assert (tmp_path / "a" / "adversarial.npy").read_bytes() == (
        tmp_path / "b" / "adversarial.npy"
    ).read_bytes()
    changed = json.loads(recipe.read_text())
    changed["versions"]["torch"] = "1.0"
    changed["result_digest"] = "0" * 64
    recipe.write_text(json.dumps(changed))
    status, text, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path / "b"), "--json")
    assert status == 1
    assert "the adversarial image is not the same" in err
    assert "torch: was 1.0" in err
    status, _, err = run(
        capsys,
        "rerun",
        str(recipe),
        "--image",
        "gallery:cifar10-01",
        "--out",
        str(tmp_path / "b"),
        "--json",
    )
    assert status == 1
    assert "the image is not the same" in err


def test_the_recipes_command_line_does_the_same_attack(capsys, tmp_path):
    import shlex

    from explorer.experiments.one_image.recipe import Recipe

    attack(
        capsys,
        tmp_path / "a",
        "--target",
        "ship",
        "--restarts",
        "2",
        "--loss",
        "cw",
        "--seed",
        "3",
        "--step-size",
        "1/255",
    )
    words = shlex.split(
        Recipe.from_json((tmp_path / "a" / "recipe.json").read_text()).command(str(tmp_path / "b"))
    )
    status, _, err = run(capsys, *words[3:])
    assert status == 0, err
    assert (tmp_path / "a" / "adversarial.npy").read_bytes() == (
        tmp_path / "b" / "adversarial.npy"
    ).read_bytes()


def test_fgsm_is_one_full_step(capsys, tmp_path):
    attack(capsys, tmp_path, "--fgsm")
    delta = (
        np.load(tmp_path / "adversarial.npy")
        - np.asarray(sample("cifar10-00").read()).transpose(2, 0, 1) / 255
    )
    inside = np.abs(delta)[np.abs(delta) > 1e-6]
    assert np.median(inside) == pytest.approx(8 / 255, abs=1e-6)
    assert json.loads((tmp_path / "recipe.json").read_text())["steps"] == 1


def test_an_image_already_wrong_is_said_to_be_so(capsys, tmp_path):
    assert attack(capsys, tmp_path, "--label", "truck")["outcome"] == "misclassified"


MISTAKES = [
    (["--epsilon", "-1"], "at least 0"),
    (["--epsilon", "2"], "must not exceed 1"),
    (["--epsilon", "much"], "is not a number"),
    (["--norm", "l2", "--epsilon", "100"], "must not exceed 55.4"),
    (["--steps", "0"], "from 1 to 10,000"),
    (["--steps", "1000000"], "from 1 to 10,000"),
    (["--steps", "many"], "invalid int value"),
    (["--target", "zebra"], "has no class 'zebra'"),
    (["--target", "cat"], "what the image already shows"),
    (["--model", "cifar11"], "there is no classifier"),
    (["--weights", "nowhere.pth"], "no weights file"),
    (["--norm", "l7"], "invalid choice"),
    (["--device", "abacus"], "unknown device"),
]


@pytest.mark.parametrize(("more", "words"), MISTAKES)
def test_a_mistake_is_one_line_and_status_2(capsys, tmp_path, more, words):
    status, out, err = run(
        capsys, "attack", "gallery:cifar10-00", *QUICK, "--out", str(tmp_path), *more
    )
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_bad_pictures_and_folders_are_one_line(capsys, tmp_path):
    (tmp_path / "fake.png").write_bytes(b"MZ" + bytes(100))
    (tmp_path / "file").write_text("")
    for image, out, words in (
        (tmp_path / "nowhere.png", tmp_path / "o", "does not exist"),
        (tmp_path / "fake.png", tmp_path / "o", "not a picture"),
        ("gallery:unicorn", tmp_path / "o", "no picture 'unicorn'"),
        ("gallery:cifar10-00", tmp_path / "file" / "o", "choose another folder"),
    ):
        status, text, err = run(capsys, "attack", str(image), *QUICK, "--out", str(out))
        assert (status, text) == (2, "")
        assert words in err
        assert len(err.strip().splitlines()) == 1


def test_evaluate_a_folder(capsys, tmp_path):
    for key in ("cifar10-00", "cifar10-01", "cifar10-02", "cifar10-08"):
        found = sample(key)
        folder = tmp_path / "data" / found.title.split()[0]
        folder.mkdir(parents=True, exist_ok=True)
        found.read().save(folder / f"{key}.png")
    arguments = [
        "evaluate",
        "--model",
        "cifar10-standard",
        "--data",
        str(tmp_path / "data"),
        "--device",
        "cpu",
        "--json",
    ]
    status, out, err = run(capsys, *arguments, "--epsilon", "0.5", "0", "--steps", "10")
    assert status == 0, err
    said = json.loads(out)
    assert said["n"] == 4
    hit, clean = said["rows"]
    assert (hit["epsilon"], clean["epsilon"]) == (0.5, 0.0)
    assert clean["accuracy"] == 1.0
    assert hit["accuracy"] < 1.0
    assert clean["low"] < 1.0 == clean["high"]
    for wrong, words in (
        ("nowhere.parquet", "no file"),
        (str(tmp_path), "hold no files"),
        ("cifar10", "EXPLORER_DATA"),
    ):
        arguments[4] = wrong
        status, out, err = run(capsys, *arguments, "--epsilon", "0")
        assert (status, out) == (2, ""), err
        assert words in err


def test_models_lists_the_bundled_ones(capsys):
    status, out, _ = run(capsys, "models", "--json")
    assert status == 0
    names = [model["name"] for model in json.loads(out)["models"]]
    assert names[:4] == ["tiny12-standard", "tiny12-robust", "cifar10-standard", "cifar10-robust"]
    assert "torchvision:googlenet" in names
    status, out, _ = run(capsys, "models")
    assert "cifar10-robust" in out


def test_models_lists_the_published_ones_with_whose_figures_they_are(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    (tmp_path / "swin_t.safetensors").write_bytes(b"")
    status, out, _ = run(capsys, "models", "--json")
    assert status == 0
    models = {model["name"]: model for model in json.loads(out)["models"]}
    assert [
        name for name, model in models.items() if model["group"] != "bundled" and model["available"]
    ] == ["torchvision:swin_t"]
    robust = models["madry:resnet18_linf_eps4.0"]
    assert (robust["accuracy"], robust["robust"], robust["training"]) == (
        0.5249,
        True,
        "adversarial, L∞ ε = 4/255",
    )
    expected = {
        "text": "AutoAttack, L∞ ε = 4/255",
        "value": 0.2532,
        "source": "RobustBench, Salman2020Do_R18",
    }
    assert robust["robust_accuracy"] == [expected]
    assert robust["remote"].startswith("https://")
    status, out, _ = run(capsys, "models")
    line = next(line for line in out.splitlines() if line.startswith("madry:resnet18_linf_eps4.0"))
    assert "52.5%" in line
    assert "25.3% (AutoAttack, L∞ ε = 4/255)" in line
    assert f"not here yet; would be fetched to {tmp_path / 'resnet18_linf_eps4.0.ckpt'}" in line


def test_models_fetches_what_is_not_here(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    (tmp_path / "swin_t.safetensors").write_bytes(b"")
    status, out, _ = run(capsys, "models", "--fetch", "torchvision:swin_t", "--json")
    assert (status, json.loads(out)) == (
        0,
        {"name": "torchvision:swin_t", "where": str(tmp_path / "swin_t.safetensors")},
    )
    nowhere = Remote("https://nowhere.invalid/resnet18_l2_eps3.ckpt")
    monkeypatch.setattr(published, "remote_weights", lambda name: nowhere)
    for name, words in (
        ("madry:resnet18_l2_eps3", "nowhere.invalid can't be reached"),
        ("cifar10-robust", "there is nothing to fetch for 'cifar10-robust'"),
    ):
        status, out, err = run(capsys, "models", "--fetch", name)
        assert (status, out) == (2, "")
        assert words in err
        assert len(err.strip().splitlines()) == 1


def test_the_panda_becomes_a_gibbon(panda, squeezenet, tmp_path):
    """The issue's own command, in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "explorer",
        "attack",
        str(panda),
        "--model",
        "torchvision:squeezenet1_1",
        "--weights",
        str(squeezenet),
        "--norm",
        "linf",
        "--epsilon",
        "4/255",
        "--steps",
        "40",
        "--target",
        "gibbon",
        "--out",
        str(tmp_path),
        "--json",
    ]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=280, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["label"]["name"] == "giant panda"
    assert said["adversarial"]["name"] == "gibbon"
    assert said["adversarial"]["confidence"] > 0.9
    assert said["linf"] <= 4 / 255 + 1e-6
    assert said["survives_8bit"]
