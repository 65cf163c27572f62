"""The files of a row of five sets and of tiles: numbers that read back, the same bytes."""

from __future__ import annotations

import csv
import io
import shlex

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.datasets.constructed.read import ConstructedSet
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.ilyas2019.five_sets_command import five_sets_command
from explorer.experiments.ilyas2019.five_sets_result import (
    ORDER,
    FiveSetsResult,
    FiveSetsSettings,
    ModelInfo,
    SetImage,
    SourceImage,
    StartImage,
)
from explorer.experiments.one_image.report import Prediction
from explorer.figures.export import figure_bytes
from explorer.figures.five_sets_files import five_sets_files
from explorer.figures.print_tiles import PrintTile, tiles_figure
from explorer.figures.set_tables import five_sets_csv, set_csv

NAMES = ("a cat", "a $dog$", "a frog with a name that is too long for a column of the figure")
MODELS = (
    ModelInfo("standard", "Standard", False, True),
    ModelInfo("robust", "Robust", True, True),
    ModelInfo("other", "Another, trained on D_R", False, False),
)


def make_row(set_name: str = "") -> FiveSetsResult:
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(3, 8, 8, generator=generator)
    start = torch.zeros(3, 8, 8)
    images = []
    for index, name in enumerate(ORDER):
        predictions = tuple(
            Prediction(torch.rand(3, generator=generator).softmax(0), NAMES) for _ in MODELS
        )
        own = (None, None) if index == 0 else (start, 2)
        images.append(
            SetImage(name, image, index % 3, 0, *own, None, predictions, set_name=set_name)
        )
    source = SourceImage(image, 0, 0, 4, set_name)
    settings = FiveSetsSettings(seed=7)
    return FiveSetsResult(source, StartImage(start, 2), settings, MODELS, NAMES, tuple(images))


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_has_every_prediction():
    row = make_row()
    lines = rows_of(five_sets_csv(row))
    assert len(lines) == len(ORDER) * len(MODELS)
    assert lines[0]["set"] == "D"
    assert lines[0]["start"] == lines[0]["l2_from_source_pixel_units"] == ""
    image = row.image("d_nr")
    line = next(each for each in lines if (each["set"], each["classifier"]) == ("D_NR", "robust"))
    assert line["label_name"] == NAMES[image.label]
    assert line["predicted_name"] == image.predictions[1].name
    probability = float(image.predictions[1].probabilities[image.label])
    assert float(line["label_probability"]) == pytest.approx(probability, abs=1e-9)
    assert float(line["l2_from_start_pixel_units"]) == pytest.approx(float(image.image.norm()))
    assert line["makes_images"] == "true"


def test_a_source_of_a_set_has_the_name_of_its_set():
    assert rows_of(five_sets_csv(make_row("d_nr")))[0]["set"] == "D_NR"


def test_all_files_are_the_same_bytes_each_time():
    files = five_sets_files(make_row())
    assert set(files) == {
        *(f"five-sets.{ending}" for ending in ("png", "pdf", "svg", "csv")),
        *(f"{name}.png" for name in ORDER),
    }
    assert files == five_sets_files(make_row())
    assert files["five-sets.pdf"].startswith(b"%PDF")
    assert b"$dog$" in files["five-sets.svg"]
    figure = Image.open(io.BytesIO(files["five-sets.png"]))
    assert figure.width == 2100  # 7 inches with 300 dpi


def test_tiles_and_their_table():
    generator = torch.Generator().manual_seed(5)
    images = torch.randint(0, 256, (3, 3, 8, 8), dtype=torch.uint8, generator=generator)
    labels = torch.tensor([1, -1, 7])
    data = ConstructedSet(
        "d_nr", "", LabelledImages(images, labels, ()), start_index=torch.tensor([4, -1, 2])
    )
    confidence = torch.tensor([[0.25, 0.5, 1.0], [0.125, 0.5, 0.0]])
    lines = rows_of(set_csv(data, [2, 0, 1], NAMES, confidence))
    assert [line["index"] for line in lines] == ["2", "0", "1"]
    assert (lines[1]["label_name"], lines[1]["robust_label_probability"]) == (NAMES[1], "0.125")
    assert (lines[0]["label"], lines[0]["label_name"], lines[0]["start_index"]) == ("7", "", "2")
    assert lines[2] == {**dict.fromkeys(lines[2], ""), "index": "1"}
    tiles = [PrintTile(np.zeros((8, 8, 3), np.uint8), name, (0.5, 0.25)) for name in NAMES * 4]
    assert figure_bytes(tiles_figure(tiles, "a caption"), "png").startswith(b"\x89PNG")


def test_the_command_names_what_is_not_by_default():
    text = five_sets_command(
        "my cat.png",
        None,
        ["s", "r", "o"],
        FiveSetsSettings(seed=4),
        index=-1,
        label=3,
        start_label=None,
    )
    words = shlex.split(text)
    assert words[3:6] == ["five-sets", "my cat.png", "--start"]
    for option, value in (("--start", "noise"), ("--others", "o"), ("--index", "-1")):
        assert words[words.index(option) + 1] == value
    assert "--start-label" not in words
