"""A journey through the page that compares classifiers, in a real browser."""

from __future__ import annotations

import zipfile
from typing import Any

from tests.journeys.visitor import Visitor

QUICK = "compare?compare_steps=3"
WIDTHS = "() => [...document.querySelectorAll('[data-testid=stMain]')].map(e => e.scrollWidth)"


def open_comparison(visitor: Visitor, path: str = QUICK) -> Visitor:
    """Open the page and wait until the table is there."""
    visitor.open(path)
    visitor.page.wait_for_selector(".answers td")
    return visitor.wait_until_idle()


def cells(visitor: Visitor) -> list[str]:
    return [
        " ".join(each.split()) for each in visitor.page.locator(".answers td").all_inner_texts()
    ]


def test_two_rows_of_equal_pictures_and_nothing_to_scroll_sideways(
    browser: Any, server: str
) -> None:
    with Visitor(browser, server, dark=True) as visitor:
        open_comparison(visitor)
        for width, height in ((1440, 900), (1024, 768), (390, 844)):
            visitor.resize_and_wait(width, height)
            boxes = [image.bounding_box() for image in visitor.page.locator(".picture img").all()]
            assert len(boxes) == 8
            assert len({(round(box["width"]), round(box["height"])) for box in boxes}) == 1
            assert len({round(box["y"]) for box in boxes}) == (4 if width == 390 else 2)
            for element in visitor.page.locator(".picture, .bar, .answers td, .measures").all():
                box = element.bounding_box()
                assert box["x"] >= 0
                assert box["x"] + box["width"] <= width
            assert max(visitor.page.evaluate(WIDTHS)) <= width
            visitor.page.get_by_role("button", name="Zoom in").first.click()
            places = [
                image.evaluate("e => e.style.transform")
                for image in visitor.page.locator(".picture img").all()
            ]
            assert len(set(places[:4])) == 1  # those of one row together
            assert places[0] != places[4]
            visitor.page.locator(".picture").first.dblclick()  # the whole picture again


def test_epsilon_moves_every_row_and_its_link_and_files_show_the_same(
    browser: Any, ladder_server: str
) -> None:
    with Visitor(browser, ladder_server) as visitor:
        open_comparison(visitor)
        before, pictures = cells(visitor), [visitor.picture(index) for index in (2, 6)]
        operators = visitor.page.locator(".operator:not(.equals)")
        track = visitor.page.locator(".track[role=slider]")
        track.press("PageUp")  # 2 levels of 255 more
        visitor.page.wait_for_function(
            "() => [...document.querySelectorAll('*')].some("
            "e => e.shadowRoot?.querySelector('.source')?.textContent.startsWith('picture compu'))"
        )
        assert operators.all_inner_texts() != ["+ 4/255\N{NO-BREAK SPACE}×"] * 2
        visitor.wait_for("() => location.search.includes('compare_linf=6')", None)
        visitor.page.wait_for_function(
            "() => [...document.querySelectorAll('*')].some("
            "e => e.shadowRoot?.querySelector('.source')?.textContent === 'attacked at this ε')"
        )
        visitor.wait_until_idle()
        assert operators.all_inner_texts() == ["+ 6/255\N{NO-BREAK SPACE}×"] * 2
        assert cells(visitor) != before
        for old, index in zip(pictures, (2, 6), strict=True):
            assert (old != visitor.picture(index)).any()
        with visitor.page.expect_download() as started:
            visitor.page.get_by_role("button", name="All files").click()
        with zipfile.ZipFile(started.value.path()) as archive:
            assert "comparison.pdf" in archive.namelist()
        link = visitor.page.locator("[data-testid=stCode] code").first.inner_text()
        expected = cells(visitor)
    with Visitor(browser, ladder_server) as other:
        open_comparison(other, link.partition(f"{ladder_server}/")[2])
        assert cells(other) == expected
