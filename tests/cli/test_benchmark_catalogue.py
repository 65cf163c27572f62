"""``bench --catalogue``: one JSON object, a table, or one line and status 2 for a mistake."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import run

QUICK = ["bench", "--catalogue", "--device", "cpu", "--model", "cifar10-standard"]
QUICK += ["--batch", "1", "--steps", "1", "--rounds", "1", "--precision", "folded"]


def test_json_is_one_object_with_a_row_for_each_classifier(capsys):
    status, out, err = run(capsys, *QUICK, "--json")
    assert status == 0, err
    values = json.loads(out)
    (row,) = values["rows"]
    assert (row["model"], row["precision"], row["pieces"]) == ("cifar10-standard", "folded", [])
    assert row["milliseconds"]["1"] > 0
    assert values["machine"]["processor"]


def test_a_table_names_what_was_left_out(capsys):
    status, out, _ = run(capsys, *QUICK, "--max-gflop", "0.001")
    assert status == 0
    name, gflop, problem = out.splitlines()[-1].strip("| ").split(" | ")[:3]
    assert name == "cifar10-standard"
    assert problem == f"{gflop} GFLOP a gradient"
    assert float(gflop) > 0.001


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["--max-gflop", "0"], "--max-gflop must be above 0"),
        (["--peers"], "--catalogue is a measurement of its own"),
    ],
)
def test_a_mistake_is_one_line(capsys, more, sentence):
    status, out, err = run(capsys, *QUICK, *more)
    assert status == 2
    assert sentence in err
    assert not out
