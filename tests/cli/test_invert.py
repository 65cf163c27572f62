"""``invert``: JSON, table and recipe agree, and a mistake is one line."""

from __future__ import annotations

import csv
import json

import pytest

from tests.cli.running import run

COMMAND = ("invert", "gallery:cifar10-00", "--model", "cifar10-standard", "cifar10-robust")


def test_json_table_and_recipe_agree(capsys, tmp_path):
    arguments = ("--steps", "8", "--seed", "3", "--device", "cpu", "--out", str(tmp_path))
    status, out, err = run(capsys, *COMMAND, *arguments, "--json")
    assert status == 0, err
    values = json.loads(out)
    assert (values["seed"], values["start"], values["warnings"]) == (3, "grey", [])
    with (tmp_path / "inversion.csv").open() as file:
        table = list(csv.DictReader(file))
    for row in values["rows"]:
        own = [line for line in table if line["classifier"] == row["model"]]
        assert [int(line["step"]) for line in own] == list(range(9))
        distance = row["relative_feature_distance"]
        assert float(own[0]["relative_feature_distance"]) == pytest.approx(distance["start"])
        assert distance["end"] < distance["start"]
        assert (tmp_path / f"inverted-{row['model']}.png").is_file()
    recipe = json.loads((tmp_path / "recipe.json").read_text())
    assert recipe["command"].endswith("--steps 8 --seed 3 --out out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--steps", "0"], "a whole number from 1"), (["--start", "data"], "invalid choice")],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, message):
    status, out, err = run(capsys, *COMMAND, *arguments, "--out", str(tmp_path))
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
