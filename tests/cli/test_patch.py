"""``patch``: what it prints, writes and refuses."""

from __future__ import annotations

import io
import json
import shlex

import numpy as np
import pytest
from PIL import Image

from tests.cli.running import run

MODELS = ["--model", "cifar10-standard", "--judge", "cifar10-robust"]
FAST = ["--steps", "3", "--batch", "4", "--device", "cpu"]


def test_it_writes_a_patch_to_print_and_a_recipe_that_gives_it_again(capsys, tmp_path):
    out = tmp_path / "out"
    asked = [*MODELS, "--target", "Frog", "--area", "0.1", "--seed", "2"]
    status, printed, err = run(capsys, "patch", *asked, *FAST, "--json", "--out", str(out))
    assert status == 0, err
    values = json.loads(printed)
    assert (values["target"], values["area"], values["seed"]) == ("frog", 0.1, 2)
    rows = [(row["patch"], row["model"]) for row in values["rows"]]
    assert rows == [
        (patch, model)
        for patch in ("fitted", "noise")
        for model in ("cifar10-standard", "cifar10-robust")
    ]
    assert all(row["low"] <= row["rate"] <= row["high"] for row in values["rows"])
    patch = np.load(out / "patch.npy")
    assert patch.shape == (3, 10, 10)
    assert 0 <= patch.min() <= patch.max() <= 1
    print_size = Image.open(io.BytesIO((out / "print.png").read_bytes())).size
    assert print_size == (1024, 1024)
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["rows"] == values["rows"]
    words = shlex.split(recipe["command"])[3:-1]
    assert words[words.index("--precision") + 1] == recipe["surroundings"]["precision"] != "auto"
    status, _, err = run(capsys, *words, str(tmp_path / "again"), "--device", "cpu")
    assert status == 0, err
    assert np.array_equal(np.load(tmp_path / "again" / "patch.npy"), patch)


def test_the_text_names_the_target_and_the_control(capsys):
    asked = ["--model", "cifar10-standard", "--target", "frog", *FAST]
    status, out, err = run(capsys, "patch", *asked)
    assert status == 0, err
    assert out.startswith("a patch towards frog, fitted to 20 pictures")
    assert "  cifar10-standard: says frog on " in out
    assert "a patch of random noise: " in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "cifar10-standard", "--target", "unicorn"], "unicorn"),
        (["--model", "cifar10-standard", "--target", "cat", "--area", "2"], "area must be from"),
        (
            ["--model", "cifar10-standard", "--judge", "tiny12-standard", "--target", "ship"],
            "tiny12-standard has no class 'ship'",
        ),
        (["--model", "a", "--judge", "a", "--target", "cat"], "a is named more than once"),
        (
            ["--model", "a", "--judge", *map(str, range(21)), "--target", "cat"],
            "and you named 21",
        ),
    ],
)
def test_mistakes_are_one_line(capsys, options, words):
    status, out, err = run(capsys, "patch", *options, "--steps", "2", "--json")
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert "Traceback" not in err
