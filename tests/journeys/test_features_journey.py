"""A journey through the sections of what a classifier looks for, in a real browser."""

from __future__ import annotations

import zipfile
from typing import Any

from tests.journeys.visitor import Visitor

QUICK = "features?features_copies=8"
WIDTHS = "() => [...document.querySelectorAll('[data-testid=stMain]')].map(e => e.scrollWidth)"


def titles(visitor: Visitor) -> list[str]:
    return [str(text) for text in visitor.page.locator(".tile-title").all_inner_texts()]


def test_the_sections_by_keyboard_with_a_link_back_and_files(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open(QUICK)
        first = titles(visitor)
        assert len(first) == 10
        boxes = [image.bounding_box() for image in visitor.page.locator(".picture img").all()]
        assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
        assert len({round(box["y"]) for box in boxes}) == 2
        picture = visitor.picture(2)
        with visitor.page.expect_download() as started:
            visitor.page.get_by_role("button", name="All files").click()
        with zipfile.ZipFile(started.value.path()) as archive:
            assert {"gradients.pdf", "gradients.csv", "recipe.json"} <= set(archive.namelist())
        chosen = visitor.page.get_by_role("radio", name="Gradients")
        chosen.focus()
        chosen.press("ArrowRight")
        visitor.page.keyboard.press("Enter")
        visitor.wait_for("() => location.search.includes('features_section=Large')", None)
        visitor.page.wait_for_function(
            "() => [...document.querySelectorAll('*')].some("
            "e => e.shadowRoot?.querySelector('.tile-title + .picture') && "
            "e.shadowRoot.textContent.includes('ε = 6'))"
        )
        assert titles(visitor) == ["picture", "ε = 1.5", "ε = 3", "ε = 6"] * 2
        visitor.page.go_back()
        visitor.wait_for("() => !location.search.includes('Large')", None)
        assert titles(visitor) == first
        assert (visitor.picture(2) == picture).all()


def test_on_a_phone_pictures_stand_two_by_two_and_nothing_scrolls_sideways(
    browser: Any, server: str
) -> None:
    with Visitor(browser, server, width=390, height=844, dark=True) as visitor:
        for section, count in (("Gradients", 10), ("Layer+by+layer", 6)):
            visitor.open(f"{QUICK}&features_section={section}")
            boxes = [image.bounding_box() for image in visitor.page.locator(".picture img").all()]
            assert len(boxes) == count
            assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
            assert max(visitor.page.evaluate(WIDTHS)) <= 390
        assert visitor.page.locator(".js-plotly-plot").count() == 2
