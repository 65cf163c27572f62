"""``synthesise``: table, JSON and files agree, its recipe repeats it, a mistake is one line."""

from __future__ import annotations

import csv
import io
import json
import shlex

import numpy as np
import pytest
from PIL import Image

from explorer.experiments.evaluation.robust_accuracy import wilson
from tests.cli.running import run

PAIR = ("cifar10-standard", "cifar10-robust")
JUDGES = ("cifar10-d_r", *PAIR)
QUICK = ("--judge", *JUDGES, "--class", "cat", "frog", "--steps", "4", "--device", "cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="module")
def values(folder):
    """The JSON object of two classes that a pair draws."""
    with pytest.MonkeyPatch.context() as patch:
        out = io.StringIO()
        patch.setattr("sys.stdout", out)
        from explorer.__main__ import main

        arguments = ["synthesise", "--model", *PAIR, *QUICK, "--out", str(folder), "--json"]
        assert main(arguments) == 0
        return json.loads(out.getvalue())


def test_the_json_has_each_drawer_and_each_judge_with_its_interval(values):
    assert [row["model"] for row in values["rows"]] == list(PAIR)
    assert (values["seed"], values["steps"], values["start"]) == (0, 4, "noise")
    for row in values["rows"]:
        assert [each["class"] for each in row["pictures"]] == ["cat", "frog"]
        judges = {each["judge"]: each for each in row["judges"]}
        assert tuple(judges) == JUDGES
        assert {name for name, each in judges.items() if each["drew_them"]} == {row["model"]}
        for each in judges.values():
            assert each["n"] == each["classes"] == len(each["answers"]) == 2
            right = sum(a == b for a, b in zip(each["answers"], ["cat", "frog"], strict=True))
            assert each["recognised"] == each["classes_recognised"] == right
            assert (each["low"], each["high"]) == wilson(right, 2)


def test_the_table_and_the_pictures_are_those_of_the_json(values, folder):
    with (folder / "synthesis.csv").open() as file:
        table = list(csv.DictReader(file))
    for row in values["rows"]:
        for each in row["judges"]:
            own = [
                line
                for line in table
                if (line["drawn_by"], line["judge"]) == (row["model"], each["judge"])
            ]
            assert [line["predicted_name"] for line in own] == each["answers"]
            assert sum(int(line["recognised"]) for line in own) == each["recognised"]
    for name in PAIR:
        with Image.open(folder / f"{name}-000-class-3.png") as picture:
            assert picture.size == (32, 32)
    assert (folder / "synthesis.pdf").read_bytes().startswith(b"%PDF")


def test_the_command_of_the_recipe_draws_the_same(capsys, values, folder, tmp_path):
    recipe = json.loads((folder / "recipe.json").read_text())
    words = shlex.split(recipe["command"])[3:]
    words[words.index("--out") + 1] = str(tmp_path)
    status, _, err = run(capsys, *words, "--device", "cpu")
    assert status == 0, err
    again = json.loads((tmp_path / "recipe.json").read_text())
    assert again["models"] == recipe["models"]
    for name in ("cifar10-robust-001-class-6.png", "synthesis.csv"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()


def test_a_start_is_fitted_on_the_pictures_of_a_folder(capsys, tmp_path):
    random = np.random.default_rng(0)
    for index in range(3):
        path = tmp_path / "pictures" / "cat" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)
    options = ["--start", "data", "--data", str(tmp_path / "pictures"), "--steps", "2"]
    out = ["--judge", "cifar10-d_r", "--out", str(tmp_path / "out")]
    arguments = ["--model", "cifar10-robust", "--class", "cat", *options, *out]
    status, text, err = run(capsys, "synthesise", *arguments)
    assert status == 0, err
    assert "cifar10-d_r says of the pictures" in text
    dog = [*arguments[:3], "dog", *arguments[4:]]
    status, _, err = run(capsys, "synthesise", *dog)
    assert status == 2
    assert "at least 2 pictures of each class; the data has 0 of “dog”" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "cifar10-robust", "cifar10-robust"], "name each classifier once"),
        (["--model", "cifar10-robust", "--class", "gibbon"], "has no class 'gibbon'"),
        (["--model", "cifar10-robust", "--epsilon", "0"], "epsilon must be above 0"),
        (["--model", "cifar10-robust", "--start", "data"], "go together"),
        (["--model", "efficientnet_lite0"], "has 1,000 classes; name those to draw"),
        (
            ["--model", "cifar10-robust", "--judge", "tiny12-robust", "--steps", "1"],
            "none of the judges",
        ),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, message):
    status, out, err = run(capsys, "synthesise", *arguments, "--out", str(tmp_path))
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
