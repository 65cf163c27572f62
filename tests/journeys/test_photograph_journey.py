"""Journeys with photographs, in a real browser: the panda, its bars, the crop, the full size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.journeys.visitor import Visitor

ADDRESS = "part => location.href.includes(part)"
PANDA = "attack?model=efficientnet_lite0&image=giant+panda&linf=1.785&target=gibbon"


@pytest.fixture(scope="module")
def visit(browser: Any, server: str) -> Iterator[Visitor]:
    """A visitor of the panda's attack, whose page all tests below use in turn."""
    with Visitor(browser, server) as visitor:
        yield visitor.open(PANDA)


@pytest.fixture
def panda_page(visit: Visitor) -> Visitor:
    return visit.resize_and_wait(1440)


def test_the_panda_preset_shows_fgsm_above_pgd(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open("attack?model=cifar10-standard")
        visitor.page.get_by_role("button", name="panda → gibbon").click()
        visitor.page.get_by_text("FGSM: one full step").wait_for()
        visitor.wait_until_idle()
        names = visitor.page.locator("figcaption .name").all_inner_texts()
        assert (names[0], names[3]) == ("giant panda", "giant panda")
        assert names[5] == "gibbon"
        boxes = [image.bounding_box() for image in visitor.page.locator(".picture img").all()]
        assert [box["x"] for box in boxes[:3]] == [box["x"] for box in boxes[3:6]]


def test_the_probability_beside_the_longest_bar_is_whole(panda_page: Visitor) -> None:
    visitor = panda_page
    chart = visitor.page.locator(".st-key-bars")
    for width in (1440, 1024, 390):
        visitor.resize_and_wait(width)
        chart.locator(".bartext").first.wait_for()
        box = chart.bounding_box()
        labels = [each.bounding_box() for each in chart.locator(".bartext").all()]
        assert len(labels) == 10
        assert max(each["x"] + each["width"] for each in labels) <= box["x"] + box["width"]
        assert "> 99.9 %" in chart.locator(".bartext").all_text_contents()


def test_the_crop_is_dragged(panda_page: Visitor) -> None:
    visitor = panda_page
    before = visitor.picture(0)
    visitor.page.get_by_text("What the classifier sees").click()
    box = visitor.page.locator(".box")
    box.wait_for()
    visitor.page.wait_for_timeout(700)  # the expander opens
    bounds = box.bounding_box()
    x, y = bounds["x"] + bounds["width"] / 2, bounds["y"] + bounds["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    visitor.page.mouse.move(x - 60, y, steps=6)
    visitor.page.mouse.up()
    visitor.wait_for(ADDRESS, "crop_x=0")
    after = visitor.picture(0)
    assert np.abs(after.astype(int) - before).mean() > 5
    # The picture moves to the right by as many pixels as the crop moves to the left.
    shift = next(d for d in range(1, 120) if np.array_equal(after[:, d:], before[:, :-d]))
    assert 10 < shift <= 48
    box.press("ArrowRight")
    visitor.wait_for(ADDRESS, "crop_x=0.05")


def test_the_whole_photograph_is_attacked_and_downloaded(panda_page: Visitor) -> None:
    visitor = panda_page
    visitor.page.get_by_text("Apply the change to the full-size photograph").click()
    visitor.page.get_by_text("still fools").wait_for()
    visitor.wait_until_idle()
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Whole photograph, PNG").click()
    whole = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert whole.size == (640, 512)
