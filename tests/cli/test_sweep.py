"""``sweep``, ``smallest`` and ``transfer``: what they print, write and refuse."""

from __future__ import annotations

import csv
import io
import json
import shlex

import pytest

from tests.cli.running import run

MODELS = ["cifar10-standard", "cifar10-robust"]
IMAGES = ["gallery:cifar10-00", "gallery:cifar10-01"]
FAST = ["--steps", "2", "--device", "cpu"]
KEYS = {"rows", "warnings", "seed", "precision", "versions"}


def values_of(capsys, *arguments: str) -> dict:
    status, out, err = run(capsys, *arguments, *FAST, "--json")
    assert status == 0, err
    values = json.loads(out)
    assert set(values) == KEYS
    assert all(set(each) == {"code", "text"} for each in values["warnings"])
    return values


def test_sweep_has_a_row_for_each_model_and_epsilon(capsys):
    values = values_of(
        capsys, "sweep", *IMAGES, "--model", *MODELS, "--epsilon", "0:0.4:0.2", "1", "--seed", "3"
    )
    assert values["seed"] == 3
    assert [(row["model"], row["epsilon"]) for row in values["rows"]] == [
        (model, epsilon) for model in MODELS for epsilon in (0.0, 0.2, 0.4, 1.0)
    ]
    for row in values["rows"]:
        assert set(row) == {"model", "epsilon", "n", "accuracy", "low", "high", "confidence"}
        assert row["n"] == 2
        assert 0 <= row["low"] <= row["accuracy"] <= row["high"] <= 1
    # Without --label the prediction counts as right.
    assert values["rows"][0]["accuracy"] == values["rows"][4]["accuracy"] == 1.0
    assert values["rows"][3]["accuracy"] == 0.0


def test_sweep_of_a_data_set_writes_figures_table_and_a_recipe_that_asks_the_same(capsys, tmp_path):
    out = tmp_path / "out"
    asked = ["--data", "gallery", "--limit", "2", "--norm", "linf", "--epsilon", "0:4/255:2/255"]
    values = values_of(capsys, "sweep", *asked, "--model", MODELS[0], "--out", str(out))
    files = {path.name for path in out.iterdir()}
    assert files == {f"accuracy.{kind}" for kind in ("png", "pdf", "svg", "csv")} | {"recipe.json"}
    table = list(csv.DictReader(io.StringIO((out / "accuracy.csv").read_text())))
    assert [float(row["accuracy"]) for row in table] == [row["accuracy"] for row in values["rows"]]
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["epsilons"] == [0.0, 2 / 255, 4 / 255]
    words = shlex.split(recipe["command"])
    assert words[:3] == ["python", "-m", "explorer"]
    status, printed, err = run(capsys, *words[3:-2], "--device", "cpu", "--json")
    assert status == 0, err
    assert json.loads(printed)["rows"] == values["rows"]


def test_smallest_has_a_row_for_each_image(capsys, tmp_path):
    out = tmp_path / "out"
    values = values_of(capsys, "smallest", *IMAGES, "--model", MODELS[0], "--out", str(out))
    assert [row["image"] for row in values["rows"]] == IMAGES
    for row in values["rows"]:
        assert set(row) == {"model", "image", "epsilon", "success"}
        assert row["success"] is True
        assert 0 < row["epsilon"] < 2
    names = {path.stem for path in out.iterdir()}
    assert names == {"smallest", "pictures-1", "recipe"}


def test_transfer_has_a_row_for_each_pair(capsys, tmp_path):
    out = tmp_path / "out"
    asked = ["--data", "gallery", "--limit", "3", "--epsilon", "0.6", "--out", str(out)]
    values = values_of(capsys, "transfer", "--models", *MODELS, *asked)
    pairs = [(row["from"], row["to"]) for row in values["rows"]]
    assert pairs == [(one, other) for one in MODELS for other in MODELS]
    for row in values["rows"]:
        assert set(row) == {"from", "to", "n", "rate", "low", "high"}
        assert row["low"] <= row["rate"] <= row["high"]
    by_pair = dict(zip(pairs, values["rows"], strict=True))
    assert by_pair[MODELS[0], MODELS[0]]["rate"] == 1.0
    assert by_pair[MODELS[0], MODELS[1]]["n"] == by_pair[MODELS[1], MODELS[0]]["n"]
    assert {path.stem for path in out.iterdir()} == {"transfer", "recipe"}


def test_the_text_names_images_and_intervals(capsys):
    status, out, err = run(
        capsys, "transfer", "--models", *MODELS, "--data", "gallery", "--limit", "1", *FAST
    )
    assert status == 0, err
    assert out.startswith("1 sample picture, L2 ε = 0.5, PGD, 2 steps, seed 0\n")
    assert "from cifar10-standard to cifar10-robust: " in out
    assert "95 % interval" in out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sweep", "--model", "cifar10-standard", "--epsilon", "0"], "pictures or --data"),
        (["sweep", IMAGES[0], "--data", "gallery", "--model", "m"], "pictures or --data"),
        (["sweep", IMAGES[0], "--model", "m", "--epsilon", "0:1"], "START:STOP:STEP"),
        (["sweep", IMAGES[0], "--model", "m", "--epsilon", "0:1:0"], "must be above 0"),
        (["sweep", IMAGES[0], "--model", "m", "--epsilon", "0:1:1e-9"], "more than 1,000 values"),
        (["sweep", IMAGES[0], "--model", "m", "--epsilon", "-1"], "at least 0"),
        (["sweep", IMAGES[0], "--model", "m", "m", "--epsilon", "0"], "m is named more than once"),
        (["smallest", IMAGES[0], IMAGES[0], "--model", "m"], "name each picture once"),
        (["smallest", IMAGES[0], "--model", *map(str, range(21))], "at most 20 models"),
        (
            ["sweep", IMAGES[0], "--model", "m", "--weights", "a", "b"],
            "one file for each model, and 1 in all",
        ),
        (["sweep", "--data", "gallery", "--label", "cat", "--model", "m"], "--label is the class"),
        (["smallest", IMAGES[0], "--model", "nothing"], "there is no classifier 'nothing'"),
        (["smallest", "nowhere.png", "--model", "cifar10-standard"], "nowhere.png"),
        (["transfer", "--models", "m", "--data", "gallery"], "at least two"),
        (
            ["transfer", *IMAGES, "--models", "cifar10-standard", "tiny12-standard"],
            "32 × 32 and tiny12-standard 64 × 64",
        ),
        (
            ["sweep", "--model", "cifar10-standard", "tiny12-standard", "--data", "gallery"],
            "does not know",
        ),
    ],
)
def test_mistakes_are_one_line(capsys, command, words):
    status, out, err = run(capsys, *command, *FAST, "--json")
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert "Traceback" not in err


def test_an_epsilon_in_levels_of_255_is_questioned_with_l2_alone(capsys):
    asked = ["sweep", IMAGES[0], "--model", MODELS[0], "--epsilon", "4/255"]
    warnings = values_of(capsys, *asked)["warnings"]
    assert "norm" in [each["code"] for each in warnings]
    warnings = values_of(capsys, *asked, "--norm", "linf")["warnings"]
    assert "norm" not in [each["code"] for each in warnings]
