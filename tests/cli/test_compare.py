"""``compare``: JSON and files agree, each recipe can be repeated, a mistake is one line."""

from __future__ import annotations

import csv
import io
import json
import sys

import numpy as np
import pytest

from explorer.__main__ import main
from tests.cli.running import run

PAIR = ("cifar10-standard", "cifar10-robust")
QUICK = ("--epsilon", "8/255", "--steps", "3", "--device", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compare")


@pytest.fixture(scope="module")
def values(folder):
    """The JSON object of a comparison on a picture of a cat."""
    arguments = ["compare", "gallery:cifar10-00", "--model", *PAIR, *QUICK, "--label", "cat"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        assert main([*arguments, "--out", str(folder), "--json"]) == 0
        return json.loads(sys.stdout.getvalue())


def test_the_json_has_a_row_for_each_classifier_and_a_transfer_for_each_pair(values):
    assert [row["model"] for row in values["rows"]] == list(PAIR)
    pairs = [(each["from"], each["to"]) for each in values["transfers"]]
    assert pairs == [(a, b) for a in PAIR for b in PAIR]
    assert (values["warnings"], values["seed"]) == ([], 0)
    assert set(values["versions"]) == {"explorer", "torch", "python"}
    assert set(values["precision"]) == set(PAIR)
    for row in values["rows"]:
        assert row["label"]["name"] == "cat"
        own = next(
            each for each in values["transfers"] if each["from"] == each["to"] == row["model"]
        )
        assert own["adversarial"] == row["adversarial"]
        assert own["outcome"] == row["outcome"]
        assert row["noise"]["linf"] == pytest.approx(row["linf"], abs=1e-7)
        assert row["noise"]["draws"] == 20
    assert values["rows"][0]["outcome"] == "fooled"
    assert values["rows"][0]["noise"]["outcome"] == "held"


def test_the_table_has_the_same_figures(values, folder):
    with (folder / "comparison.csv").open() as file:
        table = list(csv.DictReader(file))
    by_pair = {
        (row["made_on"], row["classifier"]): row for row in table if row["picture"] == "adversarial"
    }
    for each in values["transfers"]:
        row = by_pair[each["from"], each["to"]]
        assert row["predicted_name"] == each["adversarial"]["name"]
        confidence = each["adversarial"]["confidence"]
        assert float(row["predicted_probability"]) == pytest.approx(confidence, rel=1e-7)
        assert row["outcome"] == each["outcome"]
    assert [row["picture"] for row in table].count("noise") == len(PAIR)


def test_each_recipe_gives_its_picture_again(capsys, values, folder, tmp_path):
    recipe = folder / "recipe-cifar10-robust.json"
    status, text, err = run(capsys, "rerun", str(recipe), "--out", str(tmp_path), "--json")
    assert (status, json.loads(text)["differences"]) == (0, []), err
    made = np.load(folder / "adversarial-cifar10-robust.npy")
    assert np.array_equal(made, np.load(tmp_path / "adversarial.npy"))


def test_without_json_each_classifier_and_each_transfer_has_its_lines(capsys, tmp_path):
    arguments = ["--model", *PAIR, "--fgsm", "--epsilon", "8/255", "--out", str(tmp_path)]
    status, out, err = run(capsys, "compare", "gallery:cifar10-00", *arguments)
    assert status == 0, err
    for text in ("cifar10-standard: ", "draws fool it", "shown to cifar10-robust: "):
        assert text in out


def test_each_classifier_can_have_a_file_of_weights(capsys, squeezenet, tmp_path):
    models = ["--model", "torchvision:squeezenet1_1", "efficientnet_lite0"]
    asked = [*models, "--weights", str(squeezenet), "-", *QUICK, "--out", str(tmp_path)]
    status, _, err = run(capsys, "compare", "gallery:panda", *asked)
    assert status == 0, err
    recipes = [json.loads(path.read_text()) for path in tmp_path.glob("recipe-*.json")]
    files = {each["model"]: each["weights"] for each in recipes}
    assert files == {"torchvision:squeezenet1_1": str(squeezenet), "efficientnet_lite0": None}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "cifar10-robust"], "takes 2 to 4 classifiers, and this has 1"),
        (["--model", "cifar10-robust", "cifar10-robust"], "cifar10-robust is named more than once"),
        (["--model", *PAIR, "--target", "gibbon"], "has no class 'gibbon'"),
        (["--model", "cifar10-standard", "tiny12-robust", "--target", "ship"], "no class 'ship'"),
        (["--model", *PAIR, "--steps", "0"], "steps"),
        (["--model", *PAIR, "--weights", "a"], "one file for each model"),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, message):
    status, out, err = run(
        capsys, "compare", "gallery:cifar10-00", *QUICK, *arguments, "--out", str(tmp_path)
    )
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
