"""``gradients``: JSON, table and files agree, the recipe's command gives the same bytes."""

from __future__ import annotations

import csv
import json
import shlex

import numpy as np
import pytest

from tests.cli.running import run

PAIR = ("cifar10-standard", "cifar10-robust")
QUICK = ("--smooth", "8", "--device", "cpu")


def test_files_json_and_recipe_agree(capsys, tmp_path):
    out, again = tmp_path / "out", tmp_path / "again"
    arguments = ["gallery:cifar10-00", "--model", *PAIR, *QUICK, "--class", "dog", "--seed", "3"]
    status, text, err = run(capsys, "gradients", *arguments, "--out", str(out), "--json")
    assert status == 0, err
    values = json.loads(text)
    assert [(row["classifier"], row["map"]) for row in values["rows"]] == [
        (name, kind) for name in PAIR for kind in ("plain", "smoothgrad")
    ]
    assert {row["class_name"] for row in values["rows"]} == {"dog"}
    assert (values["seed"], values["of"]) == (3, "logit")
    assert {warning["code"] for warning in values["warnings"]} <= {"noise"}
    with (out / "gradients.csv").open() as file:
        table = list(csv.DictReader(file))
    for row, cells in zip(values["rows"], table, strict=True):
        assert float(cells["neighbour_correlation"]) == row["neighbour_correlation"]
        exact = np.load(out / f"{row['map']}-{row['classifier']}.npy")
        assert exact.shape == (3, 32, 32)
        norm = np.linalg.norm(exact.astype(np.float64))
        assert row["l2_norm_per_pixel_unit"] == pytest.approx(norm)
        assert row["scale_each_channel"] == pytest.approx(np.percentile(abs(exact), 99), rel=1e-6)
    names = {path.name for path in out.iterdir()}
    assert {"gradients.png", "gradients.pdf", "gradients.svg", "recipe.json"} <= names
    recipe = json.loads((out / "recipe.json").read_text())
    words = shlex.split(recipe["command"])
    assert words[:4] == ["python", "-m", "explorer", "gradients"]
    words[words.index("--out") + 1] = str(again)
    status, _, err = run(capsys, *words[3:], "--device", "cpu")
    assert status == 0, err
    for name in names:
        assert (out / name).read_bytes() == (again / name).read_bytes(), name


def test_without_copies_there_is_the_plain_gradient_alone(capsys, tmp_path):
    status, text, err = run(
        capsys,
        *("gradients", "gallery:cifar10-00", "--model", *PAIR, "--smooth", "0", "--of", "loss"),
        *("--out", str(tmp_path)),
    )
    assert status == 0, err
    assert "correlation of neighbouring pixels" in text
    assert "smoothgrad" not in text
    assert not list(tmp_path.glob("smoothgrad*"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "cifar10-robust"], "takes 2 to 4 classifiers, and this has 1"),
        (["--model", *PAIR, "--smooth", "-1"], "a whole number from 0 to 500"),
        (["--model", *PAIR, "--noise", "2"], "the noise must be above 0 and at most 1"),
        (["--model", *PAIR, "--class", "gibbon"], "has no class 'gibbon'"),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, message):
    status, out, err = run(
        capsys, "gradients", "gallery:cifar10-00", *arguments, "--out", str(tmp_path)
    )
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
