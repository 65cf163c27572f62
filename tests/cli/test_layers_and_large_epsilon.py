"""``layers`` and ``large-epsilon``: JSON and files agree, and the page's command gives the same."""

from __future__ import annotations

import csv
import json
import shlex
from pathlib import Path

import pytest

from explorer.classifiers import load
from explorer.experiments.features.large_epsilon import (
    large_epsilon,
    large_epsilon_command,
    large_epsilon_recipe,
)
from explorer.experiments.features.layers import compare_layers, layers_command, layers_recipe
from explorer.figures.large_epsilon_files import large_epsilon_files
from explorer.figures.layer_files import layer_files
from explorer.images.open import open_image
from tests.cli.running import run

PAIR = ("cifar10-standard", "cifar10-robust")
IMAGE = "gallery:cifar10-00"
Capture = pytest.CaptureFixture[str]


def repeated(capsys: Capture, command: str, out: Path) -> list[dict[str, object]]:
    """The rows that a page's command prints, which writes to ``out``."""
    words = shlex.split(command)
    words[words.index("--out") + 1] = str(out)
    status, text, err = run(capsys, *words[3:], "--json", "--device", "cpu")
    assert status == 0, err
    values = json.loads(text)
    assert values["warnings"] == []
    rows: list[dict[str, object]] = values["rows"]
    return rows


def test_layers_gives_the_bytes_of_the_page(capsys: Capture, tmp_path: Path) -> None:
    models = {name: load(name) for name in PAIR}
    recipe = layers_recipe(IMAGE, PAIR[0], 0.25, seed=3)
    answers = compare_layers(models, open_image(IMAGE).image, recipe)
    command = layers_command(answers, IMAGE)
    assert "--precision" in command
    rows = repeated(capsys, command, tmp_path)
    assert [row["paths_part_here"] for row in rows].count(True) <= len(PAIR)
    for name, data in layer_files(answers).items():
        assert (tmp_path / name).read_bytes() == data, name


def test_large_epsilon_gives_the_bytes_of_the_page(capsys: Capture, tmp_path: Path) -> None:
    models = {name: load(name) for name in PAIR}
    recipe = large_epsilon_recipe(IMAGE, PAIR[0], 2.0, None, steps=4)
    answers = large_epsilon(models, open_image(IMAGE).image, recipe)
    rows = repeated(capsys, large_epsilon_command(answers, IMAGE), tmp_path)
    with (tmp_path / "large-epsilon.csv").open() as file:
        assert [row["predicted_name"] for row in csv.DictReader(file)] == [
            row["predicted_name"] for row in rows
        ]
    for name, data in large_epsilon_files(answers).items():
        assert (tmp_path / name).read_bytes() == data, name


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("layers", ["--epsilon", "-1"], "above 0 and at most 55.4"),
        ("layers", ["--model", "cifar10-standard"], "2 to 4 classifiers"),
        ("large-epsilon", ["--target", "gibbon"], "gibbon"),
        ("large-epsilon", ["--steps", "-1"], "steps"),
    ],
)
def test_mistakes_are_one_line(
    capsys: Capture, tmp_path: Path, command: str, options: list[str], words: str
) -> None:
    asked = ["--model", *PAIR, *options, "--out", str(tmp_path / "out"), "--json"]
    status, out, err = run(capsys, command, IMAGE, *asked)
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["layers", "large-epsilon"])
@pytest.mark.parametrize("epsilon", ["0", "-1", "1000"])
def test_an_impossible_radius_is_named_as_it_was_written(
    capsys: Capture, tmp_path: Path, command: str, epsilon: str
) -> None:
    asked = ["--model", *PAIR, "--epsilon", epsilon, "--out", str(tmp_path)]
    status, out, err = run(capsys, command, IMAGE, *asked)
    assert (status, out) == (2, "")
    assert "must be above 0 and at most 55.4" in err
    assert err.strip().endswith(f"it is {epsilon}")
