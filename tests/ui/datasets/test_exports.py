"""The exports of the data page hold what it shows; link and command make the same row."""

from __future__ import annotations

import csv
import io
import json
import shlex
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.ui.datasets.exports import GridExport, build_grid, build_row
from tests.cli.running import run
from tests.ui.app import component, open_page

DATASETS = "../pages/datasets.py"


@pytest.fixture(scope="module")
def page() -> AppTest:
    return open_page(
        DATASETS, row_image="ship 2", others="cifar10-d_r", match_steps="10", attack_steps="5"
    )


def texts(page: AppTest) -> tuple[str, str]:
    link, command = (code.value for code in page.code)
    return link, command


def test_there_are_buttons_for_the_row_and_for_the_grid(page: AppTest) -> None:
    labels = [button.label for button in page.get("download_button")]
    assert labels == ["Figure, PNG", "Figure, PDF", "Figure, SVG", "Table, CSV"] * 2


def test_the_link_restores_the_row(page: AppTest) -> None:
    address = {key: value[-1] for key, value in parse_qs(urlsplit(texts(page)[0]).query).items()}
    assert (address["row_image"], address["others"]) == ("ship 2", "cifar10-d_r")
    again = open_page(DATASETS, **address)
    assert component(again, "five_sets_row") == component(page, "five_sets_row")


def test_the_command_makes_the_same_row(page: AppTest, capsys, tmp_path) -> None:
    arguments = shlex.split(texts(page)[1])[3:-1]
    status, text, err = run(capsys, *arguments, str(tmp_path), "--json")
    assert status == 0, err
    row = page.session_state["result row"]
    for image, values in zip(row.images, json.loads(text)["rows"], strict=True):
        assert values["label"] == row.names[image.label]
        pixels = np.asarray(Image.open(tmp_path / f"{image.name}.png")).transpose(2, 0, 1)
        np.testing.assert_array_equal(pixels, (image.image * 255).round().byte().numpy())


def test_the_files_are_of_what_is_on_the_page(page: AppTest) -> None:
    row = page.session_state["result row"]
    lines = list(csv.DictReader(io.StringIO(build_row(row, ".csv").decode())))
    cards = component(page, "five_sets_row")["cards"]
    assert [line["set"] for line in lines[::3]] == [card["name"] for card in cards]
    assert [line["label_name"] for line in lines[::3]] == [card["label"] for card in cards]
    assert build_row(row, ".svg").startswith(b"<?xml")
    loaded = page.session_state["browsed set"]
    grid = GridExport(loaded, [3, 1], [3], torch.full((2, 20), 0.5), row.names)
    lines = list(csv.DictReader(io.StringIO(build_grid(grid, ".csv").decode())))
    assert [line["index"] for line in lines] == ["3", "1"]
    assert build_grid(grid, ".pdf").startswith(b"%PDF")
