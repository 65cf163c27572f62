"""Results that were measured beforehand belong to the bundled classifiers, and add up."""

from __future__ import annotations

import json

import pytest

from explorer.__main__ import _parser
from explorer.classifiers.catalogue import bundled_cards
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.measured import FOLDER, measured

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def test_there_are_some_and_others_are_none():
    assert NAMES
    assert measured("nothing") is None


@pytest.mark.parametrize("name", NAMES)
def test_the_classifiers_are_those_that_are_bundled(name):
    values = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for model, digest in values["surroundings"]["weights"].items():
        assert bundled_cards()[model].weights_digest == digest


@pytest.mark.parametrize("name", NAMES)
def test_shares_and_intervals_follow_from_the_counts(name):
    result = measured(name)
    assert result is not None
    for row in result.rows:
        count = row["count"] if "count" in row else row["fooled"]
        assert row["rate"] == count / row["n"]
        assert (row["low"], row["high"]) == wilson(count, row["n"])


@pytest.mark.parametrize("name", NAMES)
def test_the_command_is_one_of_this_program(name):
    result = measured(name)
    assert result is not None
    program, options = result.command.split()[:3], result.command.split()[3:]
    assert program == ["python", "-m", "explorer"]
    assert _parser().parse_args(options).command == name.replace("_", "-")
