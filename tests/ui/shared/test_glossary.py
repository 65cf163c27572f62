"""The glossary: each word has a formula and a picture, and stands where pages use it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from explorer.attacks import PGD, Threat
from explorer.figures.palette import ADVERSARIAL
from explorer.ui.overview.stops import STOPS
from explorer.ui.shared.glossary import GLOSSARY
from explorer.ui.shared.glossary_pictures import HEIGHT, WIDTH
from tests.ui.app import open_page

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", GLOSSARY)
def test_each_picture_is_drawn_inside_of_its_frame(name: str) -> None:
    term = GLOSSARY[name]
    assert term.name
    assert term.text.endswith(".")
    assert term.formula
    assert term.alt
    root = ElementTree.fromstring(term.picture())
    assert (root.get("width"), root.get("height")) == (str(WIDTH), str(HEIGHT))
    shapes = list(root)
    assert len(shapes) > 2
    for shape in shapes:
        for axis, size in (("x", WIDTH), ("y", HEIGHT)):
            for key in (axis, f"{axis}1", f"{axis}2", f"c{axis}"):
                assert 0 <= float(shape.get(key, 0)) <= size
        if shape.tag == f"{SVG}rect":
            assert float(shape.get("x")) + float(shape.get("width")) <= WIDTH
            assert float(shape.get("y")) + float(shape.get("height")) <= HEIGHT


def test_the_picture_of_the_step_size_shows_the_attacks_own() -> None:
    bars = ElementTree.fromstring(GLOSSARY["step_size"].picture()).findall(f"{SVG}rect")
    heights = [float(bar.get("height")) for bar in bars]
    assert len(heights) == 8
    attack = PGD(Threat("linf", 8 / 255), steps=8)
    for step, height in enumerate(heights):
        assert height / heights[0] == pytest.approx(attack.step_scale(step), abs=2e-3)


def test_the_words_of_a_stop_stand_on_its_page() -> None:
    assert {name for stop in STOPS for name in stop.terms} <= set(GLOSSARY)
    at = open_page(stop="4")
    texts = [item.value for item in at.markdown]
    for name in STOPS[3].terms:
        assert f"**{GLOSSARY[name].name}**: {GLOSSARY[name].text}" in texts
    assert ADVERSARIAL in GLOSSARY["linf"].picture()
