"""Painting in a real browser: a stroke and the keyboard mark squares, and the picture follows."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from explorer.experiments.features.mask import SIDE, cells_from
from tests.journeys.visitor import Visitor, decoded

ADDRESS = "features?features_section=Painting&features_painted=frog&features_painted_steps=5"
LAST = ".tiles >> nth=1 >> figure >> nth=2 >> img"  # what the robust classifier painted


def marked(visitor: Visitor) -> np.ndarray:
    """The mask in the address, bool [32, 32]."""
    query = parse_qs(urlsplit(visitor.page.url).query)
    return cells_from(query["features_mask"][0])


def wait_for_mask(visitor: Visitor, before: np.ndarray) -> np.ndarray:
    """The mask in the address once it differs from ``before`` and the page is idle."""
    for _ in range(100):
        visitor.page.wait_for_timeout(100)
        if not np.array_equal(marked(visitor), before):
            break
    visitor.wait_until_idle()
    return marked(visitor)


def test_a_stroke_and_the_keyboard_mark_what_is_painted(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        page = visitor.page
        visitor.open(ADDRESS)
        first = marked(visitor)
        original = decoded(page.locator(".board img").get_attribute("src"))

        page.locator(".clear").click()
        assert not wait_for_mask(visitor, first).any()
        assert page.get_by_text("Nothing is marked in the picture").is_visible()

        canvas = page.locator(".board canvas")
        box = canvas.bounding_box()
        assert box is not None
        left, top, width, height = (box[key] for key in ("x", "y", "width", "height"))
        page.mouse.move(left + 0.2 * width, top + 0.25 * height)
        page.mouse.down()
        page.mouse.move(left + 0.8 * width, top + 0.25 * height, steps=8)
        page.mouse.up()
        stroke = wait_for_mask(visitor, np.zeros((SIDE, SIDE), dtype=bool))
        assert stroke[8, 7:25].all()
        assert not stroke[12:].any()
        painted = decoded(page.locator(LAST).get_attribute("src"))
        changed = (painted != original).any(axis=2)
        assert changed.any()
        assert not changed[~stroke].any()

        page.mouse.move(0, 0)  # the keyboard begins where the mouse is, or else in the middle
        canvas.focus()
        for key in (" ", *["ArrowDown"] * 6, " "):
            page.keyboard.press(key)
        lower = wait_for_mask(visitor, stroke)
        assert lower[16:22, 16].all()
        assert lower[8, 7:25].all()
        page.go_back()
        assert np.array_equal(wait_for_mask(visitor, lower), stroke)
