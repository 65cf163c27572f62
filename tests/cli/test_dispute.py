"""``dispute``: what it prints, writes and refuses."""

from __future__ import annotations

import json

import pytest

from tests.cli.running import run

ASKED = ["--model", "cifar10-standard", "--ensemble", "cifar10-d", "--limit", "3"]
FAST = ["--steps", "2", "--device", "cpu"]


def test_it_has_a_row_for_each_attack_and_classifier_and_writes_files(capsys, tmp_path):
    out = tmp_path / "out"
    judged = ["--judge", "cifar10-robust", "--out", str(out)]
    status, printed, err = run(capsys, "dispute", *ASKED, *judged, *FAST, "--json")
    assert status == 0, err
    values = json.loads(printed)
    models = ["cifar10-standard", "cifar10-d", "cifar10-robust"]
    assert [(row["attack"], row["model"]) for row in values["rows"]] == [
        (attack, model) for attack in ("ordinary", "not to transfer", "noise") for model in models
    ]
    assert [row["in_ensemble"] for row in values["rows"][:3]] == [False, True, False]
    assert all(row["n"] <= 3 for row in values["rows"])
    names = {path.name for path in out.iterdir()}
    assert names == {f"dispute.{kind}" for kind in ("png", "pdf", "svg", "csv")} | {"recipe.json"}
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["rows"] == values["rows"]
    used = values["precision"]  # by both networks, which are built alike
    assert recipe["attack"]["precision"] == used != "auto"
    assert f"--precision {used}" in recipe["command"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "a", "--ensemble", "a"], "each classifier once"),
        (["--model", "cifar10-standard", "--ensemble", "tiny12-standard"], "another size"),
        ([*ASKED, "--epsilon", "-1"], "at least 0"),
        ([*ASKED, "--data", "nowhere"], "nowhere"),
    ],
)
def test_mistakes_are_one_line(capsys, options, words):
    status, out, err = run(capsys, "dispute", *options, *FAST, "--json")
    assert (status, out) == (2, "")
    assert words in err.strip().splitlines()[-1]
    assert "Traceback" not in err
