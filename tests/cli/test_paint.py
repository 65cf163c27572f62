"""``paint``: boxes, masks and digits, and the files that it writes."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from PIL import Image

from tests.cli.running import run

COMMAND = ("paint", "gallery:cifar10-00", "--model", "cifar10-robust", "--class", "frog")
QUICK = ("--steps", "5", "--device", "cpu")


def pixels(path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


def test_a_box_a_picture_and_digits_mark_the_same(capsys, tmp_path):
    box = ("--box", "0.25", "0", "0.75", "0.5")
    status, out, err = run(capsys, *COMMAND, *QUICK, *box, "--out", str(tmp_path / "box"), "--json")
    assert status == 0, err
    (row,) = json.loads(out)["rows"]
    assert (row["target"], row["painted"]["name"], row["painted_share"]) == ("frog", "frog", 0.25)
    mask = tmp_path / "box" / "mask-cifar10-robust.png"
    digits = json.loads((tmp_path / "box" / "recipe.json").read_text())["command"].split()
    given = {"picture": str(mask), "digits": digits[digits.index("--mask") + 1]}
    painted = pixels(tmp_path / "box" / "painted-cifar10-robust.png")
    for name, value in given.items():
        folder = tmp_path / name
        status, _, err = run(capsys, *COMMAND, *QUICK, "--mask", value, "--out", str(folder))
        assert status == 0, err
        assert np.array_equal(pixels(folder / "painted-cifar10-robust.png"), painted)
    with (tmp_path / "box" / "painting.csv").open() as file:
        (line,) = csv.DictReader(file)
    assert float(line["l2_pixel_units"]) == pytest.approx(row["l2"])
    assert line["predicted_before"] == row["picture"]["name"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--box", "0.5", "0", "0.2", "1"], "left below right"),
        (["--mask", "0" * 256], "nothing is marked"),
        (["--mask", "z" * 256], "hexadecimal digits"),
        (["--mask", "no-such.png"], "no-such.png"),
        ([], "required"),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, message):
    status, out, err = run(capsys, *COMMAND, *arguments, "--out", str(tmp_path))
    assert (status, out) == (2, "")
    assert message in err.splitlines()[-1]
