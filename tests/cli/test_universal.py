"""``universal``: what it prints, writes and refuses."""

from __future__ import annotations

import csv
import io
import json
import shlex

import numpy as np
import pytest

from tests.cli.running import run

FAST = ["--steps", "2", "--batch", "8", "--device", "cpu"]


def test_it_writes_a_perturbation_and_a_recipe_that_gives_it_again(capsys, tmp_path):
    out = tmp_path / "out"
    judged = ["--model", "cifar10-standard", "--judge", "cifar10-robust"]
    asked = ["--data", "gallery", "--fit", "12", *judged, "--epsilon", "8/255", "--seed", "4"]
    status, printed, err = run(capsys, "universal", *asked, *FAST, "--json", "--out", str(out))
    assert status == 0, err
    values = json.loads(printed)
    assert (values["fitted"], values["seed"], values["epsilon"]) == (12, 4, 8 / 255)
    changes = [(row["change"], row["model"]) for row in values["rows"]]
    assert changes == [
        (change, model)
        for change in ("universal", "noise")
        for model in ("cifar10-standard", "cifar10-robust")
    ]
    for row in values["rows"]:
        assert row["n"] <= 8
        assert row["low"] <= row["rate"] <= row["high"]
    delta = np.load(out / "perturbation.npy")
    assert delta.shape == (3, 32, 32)
    assert 0 < np.abs(delta).max() <= 8 / 255 + 1e-6
    table = list(csv.DictReader(io.StringIO((out / "universal.csv").read_text())))
    assert [float(row["rate"]) for row in table] == [row["rate"] for row in values["rows"]]
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["rows"] == values["rows"]
    words = shlex.split(recipe["command"])[3:-1]
    assert words[words.index("--precision") + 1] == recipe["surroundings"]["precision"] != "auto"
    status, _, err = run(capsys, *words, str(tmp_path / "again"), "--device", "cpu")
    assert status == 0, err
    assert np.array_equal(np.load(tmp_path / "again" / "perturbation.npy"), delta)


def test_the_text_names_the_images_and_the_intervals(capsys):
    asked = ["--data", "gallery", "--model", "cifar10-standard", *FAST]
    status, out, err = run(capsys, "universal", *asked)
    assert status == 0, err
    assert out.startswith("one perturbation, fitted to 10 images, scored on others")
    assert "95 % interval" in out
    assert "random noise of the same size: " in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "a", "--judge", "a"], "each classifier once"),
        (["--model", "cifar10-standard", "--epsilon", "3"], "must not exceed 255/255"),
        (["--model", "cifar10-standard", "--fit", "0"], "--fit: it must be a whole number from 1"),
        (["--model", "nothing"], "there is no classifier 'nothing'"),
        (["--model", "cifar10-standard", "--data", "nowhere"], "nowhere"),
        (["--model", "cifar10-standard", "--data", "gallery", "--fit", "500"], "lower --fit"),
        (["--model", "cifar10-standard", "--judge", "tiny12-standard"], "tiny12-standard"),
    ],
)
def test_mistakes_are_one_line(capsys, options, words):
    status, out, err = run(capsys, "universal", *options, "--steps", "2", "--json")
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert "Traceback" not in err
