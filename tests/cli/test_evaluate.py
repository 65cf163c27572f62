"""``evaluate``: accuracy under attack on a folder of pictures."""

from __future__ import annotations

import json

import pytest
import torch

from explorer.images.gallery import sample
from tests.cli.running import run
from tests.experiments.trust import flawed_models

FLAWED = flawed_models.__file__


@pytest.fixture
def folder(tmp_path):
    """Four pictures in sub-folders that have the names of their classes."""
    for key in ("cifar10-00", "cifar10-01", "cifar10-02", "cifar10-08"):
        picture = sample(key)
        place = tmp_path / "data" / picture.title.split()[0]
        place.mkdir(parents=True, exist_ok=True)
        picture.read().save(place / f"{key}.png")
    return tmp_path / "data"


def evaluate(capsys, data, *more: str):
    model = ["--model", "cifar10-standard", "--device", "cpu"]
    return run(capsys, "evaluate", *model, "--data", str(data), "--json", *more)


def test_accuracy_by_epsilon_in_the_order_of_the_command_line(capsys, folder):
    status, out, err = evaluate(capsys, folder, "--epsilon", "0.5", "0", "--steps", "10")
    assert status == 0, err
    values = json.loads(out)
    assert values["n"] == 4
    attacked, clean = values["rows"]
    assert (attacked["epsilon"], clean["epsilon"]) == (0.5, 0.0)
    assert clean["accuracy"] == 1.0
    assert attacked["accuracy"] < 1.0
    assert clean["low"] < 1.0 == clean["high"]


@pytest.mark.parametrize("precision", ["float32", "folded", "bfloat16"])
def test_the_seed_and_the_precision_are_part_of_the_result(capsys, folder, precision):
    options = ("--epsilon", "0.2", "--steps", "2", "--seed", "7", "--precision", precision)
    status, out, err = evaluate(capsys, folder, *options)
    assert status == 0, err
    values = json.loads(out)
    assert (values["seed"], values["precision"]) == (7, precision)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("nowhere.parquet", "no file"),
        ("", "not know, such as 'data'"),
        ("cifar10", "EXPLORER_DATA"),
    ],
)
def test_data_that_can_not_be_read_is_one_line(capsys, folder, data, words):
    status, out, err = evaluate(capsys, data or folder.parent, "--epsilon", "0")
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--epsilon", "0", "--limit", "0"], "--limit: it must be a whole number from 1"),
        (["--epsilon", "0", "--limit", "1000000001"], "from 1 to 1,000,000,000"),
        (["--epsilon", "-1"], "at least 0"),
        (["--epsilon", "0.5", "--steps", "0"], "steps"),
        (["--epsilon", "0.5", "--restarts", "0"], "restarts"),
        (["--epsilon", "x"], "is not a number"),
    ],
)
def test_wrong_numbers_are_one_line(capsys, folder, options, words):
    status, out, err = evaluate(capsys, folder, *options)
    assert (status, out) == (2, "")
    assert words in err
    assert len(err.strip().splitlines()) == 1


def test_one_of_each_is_singular_in_the_text_but_not_in_the_json(capsys, folder):
    options = ["--epsilon", "0", "--steps", "1", "--limit", "1"]
    status, out, err = evaluate(capsys, folder, *options)
    assert status == 0, err
    assert json.loads(out)["threat"] == "l2, PGD 1 step, 1 restart"
    model = ["--model", "cifar10-standard", "--device", "cpu", "--data", str(folder)]
    _, out, _ = run(capsys, "evaluate", *model, *options)
    assert out.startswith(
        f"cifar10-standard on 1 image of {folder}: accuracy under l2, PGD 1 step, 1 restart\n"
    )


@pytest.mark.parametrize(
    ("function", "code"),
    [("rounded", "zero-gradient"), ("dropping", "random-outputs"), ("softmaxed", "probabilities")],
)
def test_a_figure_that_can_not_be_trusted_says_so(capsys, folder, function, code):
    model = ["--model", f"{FLAWED}:{function}", "--device", "cpu", "--data", str(folder)]
    status, out, err = run(capsys, "evaluate", *model, "--json", "--epsilon", "0.5", "--steps", "5")
    assert status == 0, err
    warnings = json.loads(out)["warnings"]
    assert [set(each) for each in warnings] == [{"code", "text"}] * len(warnings)
    assert code in [each["code"] for each in warnings]
    assert "https://arxiv.org/abs/" in err
    texts = [each["text"] for each in warnings]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    "options",
    [
        ["--norm", "l2", "--epsilon", "0.25", "0.5"],
        ["--norm", "linf", "--epsilon", "0", "4/255"],
    ],
)
def test_all_is_well_with_a_bundled_classifier(capsys, folder, options):
    status, out, err = evaluate(capsys, folder, *options)
    assert status == 0, err
    values = json.loads(out)
    assert values["warnings"] == []
    assert values["versions"]["torch"] == torch.__version__


def test_apgd_of_another_library(capsys, folder):
    status, out, err = evaluate(
        capsys, folder, "--attack", "apgd", "--steps", "5", "--epsilon", "0", "0.5"
    )
    assert status == 0, err
    values = json.loads(out)
    assert (values["threat"], values["precision"]) == ("l2, APGD 5 steps, 1 restart", "float32")
    clean, attacked = (row["accuracy"] for row in values["rows"])
    assert clean - attacked == pytest.approx(sum(values["fooled"].values()) / values["n"])
    assert values["versions"]["pyautoattack"]


def test_autoattack_has_its_own_steps(capsys, folder):
    status, out, err = evaluate(
        capsys, folder, "--attack", "autoattack", "--steps", "5", "--epsilon", "0.5"
    )
    assert (status, out) == (2, "")
    assert "its own steps" in err


def test_an_effort_stands_for_steps(capsys, folder):
    accuracies = {}
    for effort in ("quick", "thorough"):
        status, out, err = evaluate(capsys, folder, "--epsilon", "0.1", "--effort", effort)
        assert status == 0, err
        values = json.loads(out)
        assert values["effort"] == effort
        accuracies[effort] = values["rows"][0]["accuracy"]
    assert accuracies["thorough"] <= accuracies["quick"]
    assert "PGD 40 steps, 1 restart, thorough" in values["threat"]


@pytest.mark.parametrize("more", [["--steps", "3"], ["--attack", "apgd"]])
def test_an_effort_is_of_pgd_and_has_its_own_steps(capsys, folder, more):
    status, out, err = evaluate(capsys, folder, "--epsilon", "0.1", "--effort", "quick", *more)
    assert (status, out) == (2, "")
    assert "leave out --effort" in err or "leave out --steps" in err


def test_the_gallery_is_data_too(capsys):
    options = ["--model", "cifar10-standard", "--epsilon", "0", "--limit", "5", "--json"]
    status, out, err = run(capsys, "evaluate", "--data", "gallery", *options)
    assert status == 0, err
    assert json.loads(out)["n"] == 5
