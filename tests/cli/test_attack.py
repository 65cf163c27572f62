"""``attack``: files that read back, one JSON object, one line for a mistake."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from explorer.experiments.one_image.recipe_file import read_recipe
from tests.cli.attacking import QUICK, attack, original
from tests.cli.running import run


def test_the_files_of_an_attack_agree_with_its_json(capsys, tmp_path):
    values = attack(capsys, tmp_path)
    assert set(values) >= {"label", "adversarial", "success", "survives_8bit", "linf", "l2", "ssim"}
    assert values["success"]
    assert values["label"]["name"] == "cat"
    assert values["adversarial"]["name"] != "cat"
    assert 0 < values["linf"] <= 8 / 255 + 1e-6
    array = np.load(tmp_path / "adversarial.npy")
    assert (array.dtype, array.shape) == (np.float32, (3, 32, 32))
    png = np.asarray(Image.open(tmp_path / "adversarial.png"))
    assert np.array_equal(png, np.rint(array.transpose(1, 2, 0) * 255).astype(np.uint8))
    change = array - original()
    assert np.abs(change).max() == pytest.approx(values["linf"], abs=1e-6)
    assert np.linalg.norm(change) == pytest.approx(values["l2"], abs=1e-4)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "trace.csv").read_text())))
    assert len(rows) == 6
    assert (tmp_path / "triptych.pdf").read_bytes().startswith(b"%PDF")
    assert Image.open(tmp_path / "triptych.png").info["dpi"][0] == pytest.approx(300, abs=1)
    assert b"<svg" in (tmp_path / "triptych.svg").read_bytes()[:2000]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_fgsm_is_one_full_step(capsys, tmp_path):
    attack(capsys, tmp_path, "--fgsm", "--steps", "1")
    change = np.abs(np.load(tmp_path / "adversarial.npy") - original())
    assert np.median(change[change > 1e-6]) == pytest.approx(8 / 255, abs=1e-6)
    assert json.loads((tmp_path / "recipe.json").read_text())["steps"] == 1


def test_an_image_that_was_misclassified_before_has_that_outcome(capsys, tmp_path):
    assert attack(capsys, tmp_path, "--label", "truck")["outcome"] == "misclassified"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--epsilon", "0"], "nothing to check, since the attack did not succeed"),
        (["--label", "truck"], "nothing to check, since the original was misclassified before"),
        ([], "still fools after rounding"),
    ],
)
def test_rounding_is_judged_only_after_a_success(capsys, tmp_path, more, words):
    arguments = ["attack", "gallery:cifar10-00", *QUICK, *more, "--out", str(tmp_path)]
    status, text, err = run(capsys, *arguments)
    assert status == 0, err
    (line,) = [each for each in text.splitlines() if each.startswith("8 bits ")]
    assert line.removeprefix("8 bits").strip().startswith(words)


MISTAKES = [
    (["--epsilon", "-1"], "at least 0"),
    (["--epsilon", "2"], "must not exceed 255/255"),
    (["--epsilon", "much"], "is not a number"),
    (["--norm", "l2", "--epsilon", "100"], "must not exceed 55.4"),
    (["--steps", "0"], "from 1 to 10,000"),
    (["--steps", "1000000"], "from 1 to 10,000"),
    (["--steps", "many"], "a whole number from 1 to 10,000"),
    (["--label", "9" * 5000], "has classes 0 to 9; there is no 999"),
    (["--target", "zebra"], "has no class 'zebra'"),
    (["--target", "cat"], "the classifier already says"),
    (["--model", "cifar11"], "there is no classifier"),
    (["--weights", "nowhere.pth"], "no weights file"),
    (["--norm", "l7"], "invalid choice"),
    (["--device", "abacus"], "unknown device"),
]


@pytest.mark.parametrize(("more", "words"), MISTAKES)
def test_a_mistake_is_one_line_and_status_2(capsys, tmp_path, more, words):
    arguments = ["attack", "gallery:cifar10-00", *QUICK, "--out", str(tmp_path), *more]
    status, out, err = run(capsys, *arguments)
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


def panda_becomes_gibbon(capsys, tmp_path, image, *options):
    """The field's best-known example; returns what it prints."""
    command = ["attack", image, *options, "--target", "gibbon", "--out", str(tmp_path), "--json"]
    status, out, err = run(capsys, *command)
    assert status == 0, err
    values = json.loads(out)
    assert values["label"]["name"] == "giant panda"
    assert values["adversarial"]["name"] == "gibbon"
    assert values["adversarial"]["confidence"] > 0.9
    return values


def test_a_photograph_of_a_panda_becomes_a_gibbon(capsys, panda, squeezenet, tmp_path):
    model = ("--model", "torchvision:squeezenet1_1", "--weights", str(squeezenet))
    values = panda_becomes_gibbon(capsys, tmp_path, str(panda), *model, "--epsilon", "4/255")
    assert values["linf"] <= 4 / 255 + 1e-6
    assert values["survives_8bit"]


def test_the_panda_becomes_a_gibbon_on_a_bare_machine(capsys, tmp_path):
    model = ("--model", "efficientnet_lite0")
    values = panda_becomes_gibbon(capsys, tmp_path, "gallery:panda", *model, "--epsilon", "0.007")
    assert 0 < values["linf"] <= 0.007 + 1e-6
    assert np.load(tmp_path / "adversarial.npy").shape == (3, 224, 224)


@pytest.mark.parametrize(
    ("more", "steps"), [(["--rule", "plain"], 40), (["--step-size", "0.001"], 40), (["--fgsm"], 1)]
)
def test_settings_of_the_steps_stand_for_plain_pgd(capsys, tmp_path, more, steps):
    arguments = [*QUICK[:4], *QUICK[6:], *more, "--out", str(tmp_path)]
    status, _, err = run(capsys, "attack", "gallery:cifar10-00", *arguments)
    assert status == 0, err
    recipe, _ = read_recipe((tmp_path / "recipe.json").read_text())
    assert (recipe.steps, recipe.rule, recipe.effort) == (steps, "plain", "")


@pytest.mark.parametrize("more", [["--effort", "quick"], ["--effort", "quick", "--fgsm"]])
def test_quick_has_its_own_steps(capsys, tmp_path, more):
    arguments = ["attack", "gallery:cifar10-00", *QUICK, *more, "--out", str(tmp_path)]
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert "--effort" in err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--step-size", "0"], "--step-size must be above 0; it is 0"),
        (["--step-size", "-0.1"], "--step-size must be above 0; it is -0.1"),
    ],
)
def test_settings_that_would_change_nothing_are_refused(capsys, tmp_path, more, words):
    arguments = ["attack", "gallery:cifar10-00", *QUICK, *more, "--out", str(tmp_path)]
    status, out, err = run(capsys, *arguments)
    assert (status, out) == (2, "")
    assert words in err
