"""Journeys through the page of the constructed sets, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer.datasets.constructed.read import read_set
from tests.journeys.visitor import Visitor

QUICK = "datasets?match_steps=30&attack_steps=10"
# Functions of the page. The elements of a component lie in a shadow root.
SHOWS = """([part, text]) => [...document.querySelectorAll('*')].some(
  element => element.shadowRoot?.querySelector(part)?.textContent.includes(text)
)"""
# A press from outside of the browser could come after the last step, on a fast processor.
CANCELLED_AT_SIGHT = f"""what => {{
  if (!({SHOWS})(what)) return false
  document.querySelector(".st-key-build-cancel button").click()
  return true
}}"""
TILES = """count => [...document.querySelectorAll('*')].some(
  element => element.shadowRoot?.querySelectorAll('.tile').length === count
)"""


def open_datasets(visitor: Visitor, path: str = QUICK) -> Visitor:
    """Open the page and wait until the row and the grid below it are complete."""
    visitor.open(path)
    visitor.page.wait_for_selector(".tile .fill")
    return visitor.wait_until_idle()


def select(visitor: Visitor, key: str, option: str) -> None:
    box = visitor.page.locator(f".st-key-{key} input")
    box.scroll_into_view_if_needed()
    visitor.page.wait_for_timeout(500)  # a menu closes when the page scrolls under it
    box.click()
    visitor.page.get_by_role("option", name=option, exact=True).click()


@pytest.fixture(scope="module")
def visit(browser: Any, server: str) -> Iterator[Visitor]:
    """A visitor of the page, which the two tests below use in turn."""
    with Visitor(browser, server, dark=True) as visitor:
        yield open_datasets(visitor)


def test_five_pictures_of_one_size_and_nothing_cut_off(visit: Visitor) -> None:
    for width, rows in ((1440, 1), (1024, 5), (390, 5)):
        visit.resize_and_wait(width)
        boxes = [image.bounding_box() for image in visit.page.locator(".picture img").all()]
        assert len(boxes) == 5
        assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
        assert len({round(box["y"]) for box in boxes}) == rows
        for element in visit.page.locator(
            ".picture, .value, .sentence, .build img, .build svg, .tile"
        ).all():
            box = element.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        assert visit.page.locator(".build svg").bounding_box()["width"] > 200


def test_a_tile_opens_its_row(visit: Visitor) -> None:
    before = visit.picture(0)
    visit.page.locator(".tile").nth(11).click()
    visit.page.wait_for_function(SHOWS, arg=[".labels dd", "truck"])
    visit.wait_until_idle()
    assert (visit.picture(0) != before).any()
    assert "row_image=truck" in visit.page.url


def test_a_build_is_cancelled_and_another_is_downloaded_as_a_set(
    browser: Any, server: str, tmp_path: Path
) -> None:
    with Visitor(browser, server) as visitor:
        open_datasets(visitor, "datasets?match_steps=1000&attack_steps=5")
        page = visitor.page
        page.get_by_role("button", name="Robustify this image").click()
        page.wait_for_function(CANCELLED_AT_SIGHT, arg=[".current figcaption", "of 1000"])
        page.get_by_text("It was cancelled; nothing was added.").wait_for()
        visitor.wait_until_idle()
        page.get_by_role("button", name="Mislabel it by one").click()
        page.wait_for_function(SHOWS, arg=[".note", "Added to “made here”"])
        visitor.wait_until_idle()
        select(visitor, "set", "made here: D_det")
        page.wait_for_function(TILES, arg=1)
        visitor.wait_until_idle()
        with page.expect_download() as started:
            page.get_by_role("button", name="Download D_det as a set").click()
        (tmp_path / "set.parquet").write_bytes(Path(started.value.path()).read_bytes())
        assert (read_set(tmp_path / "set.parquet").name, started.value.suggested_filename) == (
            "d_det",
            "d_det-made-here.parquet",
        )
