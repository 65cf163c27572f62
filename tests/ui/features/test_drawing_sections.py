"""The sections of pictures that classifiers draw: what they show is what the core computes."""

from __future__ import annotations

import base64
import io
import json
import shlex
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.__main__ import _parser
from explorer.classifiers import load
from explorer.experiments.features.inversion import InversionSettings, invert
from explorer.experiments.features.mask import Box, box_cells, cells_mask, cells_text
from explorer.experiments.features.painting import PaintingSettings, paint
from explorer.experiments.features.synthesis import SynthesisSettings, synthesise
from explorer.images.gallery import samples
from explorer.images.geometry import to_uint8
from tests.ui.app import component, open_page, wait_until_idle

FEATURES = "../pages/features.py"
PAIR = ("cifar10-standard", "cifar10-robust")
CELLS = cells_text(box_cells(Box(0.5, 0.5, 1, 1)))


def open_section(title: str, **address: str) -> AppTest:
    return open_page(FEATURES, features_section=title, **address)


def rows(at: AppTest) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = component(at, "picture_rows")["rows"]
    return found


def pixels(tile: dict[str, Any]) -> np.ndarray:
    data = base64.b64decode(tile["src"].partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def parsed(at: AppTest) -> Any:
    """The options of the command that the page shows, which the command line takes."""
    command = next(each.value for each in at.code if each.value.startswith("python"))
    return _parser().parse_args(shlex.split(command)[3:])


def test_drawings_and_verdicts_are_those_of_the_core() -> None:
    at = open_section(
        "Drawn from noise", features_drawn_steps="5", features_drawn="frog", features_drawn_l2="15"
    )
    models = {name: load(name) for name in PAIR}
    settings = SynthesisSettings(classes=(6,), steps=5, epsilon=15.0)
    synthesis = synthesise(models, settings, {"cifar10-d_r": load("cifar10-d_r")})
    for row, drawing in zip(rows(at), synthesis.drawings, strict=True):
        (tile,) = row["tiles"]
        assert np.array_equal(pixels(tile), to_uint8(drawing.images[0]))
        answer = synthesis.recognition(drawing.name, "cifar10-d_r")
        assert answer is not None
        assert tile["name"] == answer.answers[0].name
        assert f"recognises {answer.count} of 1 (" in row["sentence"]
    table = next(each.value for each in at.markdown if each.value.startswith("| judge"))
    assert len(table.splitlines()) == 2 + 9
    options = parsed(at)
    assert (options.classes, options.steps, options.epsilon) == (["6"], 5, 15)


def test_another_judge_is_asked_without_drawing_again() -> None:
    at = open_section("Drawn from noise", features_drawn_steps="5", features_drawn="frog")
    before = rows(at)
    at.selectbox(key="features_judge").set_value("cifar10-robust")
    wait_until_idle(at.run())
    after = rows(at)
    assert [row["tiles"][0]["src"] for row in after] == [row["tiles"][0]["src"] for row in before]
    assert after[1]["sentence"].endswith("It drew them itself.")


def test_an_inversion_is_that_of_the_core() -> None:
    at = open_section("Inverted", features_inverted_steps="50")
    cat = next(each for each in samples("cifar10") if each.title == "cat")
    answers = invert({name: load(name) for name in PAIR}, cat.read(), InversionSettings(steps=50))
    for row, answer in zip(rows(at), answers, strict=True):
        picture, start, inverted = row["tiles"]
        assert np.array_equal(pixels(picture), to_uint8(answer.picture))
        assert np.array_equal(pixels(start), to_uint8(answer.start))
        assert np.array_equal(pixels(inverted), to_uint8(answer.image))
        assert inverted["name"] == answer.prediction.name
    assert (parsed(at).command, parsed(at).steps) == ("invert", 50)


def test_a_link_restores_the_mask_and_a_box_by_numbers_replaces_it() -> None:
    at = open_section(
        "Painting", features_mask=CELLS, features_painted="frog", features_painted_steps="5"
    )
    models = {name: load(name) for name in PAIR}
    mask = cells_mask(box_cells(Box(0.5, 0.5, 1, 1)), (32, 32))
    cat = next(each for each in samples("cifar10") if each.title == "cat")
    answers = paint(
        models, cat.read(), dict.fromkeys(PAIR, mask), PaintingSettings(target=6, steps=5)
    )
    for row, answer in zip(rows(at), answers, strict=True):
        assert np.array_equal(pixels(row["tiles"][2]), to_uint8(answer.image))
    assert component(at, "brush")["cells"] == CELLS
    assert (parsed(at).mask, parsed(at).target) == (CELLS, "6")
    for edge, value in (("left", 0), ("top", 0), ("right", 50), ("bottom", 50)):
        at.number_input(key=f"features_box_{edge}").set_value(value)
    at.button(key="features_mark").click()
    wait_until_idle(at.run())
    assert component(at, "brush")["cells"] == cells_text(box_cells(Box(0, 0, 0.5, 0.5)))
    assert "25.0 % of the picture" in json.dumps(rows(at), ensure_ascii=False)


def test_a_box_without_area_and_a_damaged_mask_are_named() -> None:
    at = open_section("Painting", features_mask="abc", features_painted_steps="5")
    assert any("features" in each.value for each in at.warning)
    assert len(component(at, "brush")["cells"]) == 256
    at.number_input(key="features_box_left").set_value(95)
    at.button(key="features_mark").click()
    wait_until_idle(at.run())
    assert any("Left must be below right" in each.value for each in at.error)
