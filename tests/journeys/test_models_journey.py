"""Journeys through the page of the classifiers, in a real browser."""

from __future__ import annotations

from typing import Any

from tests.journeys.visitor import Visitor

OVERFLOW = """() => {
  const main = document.querySelector('[data-testid=stMain]')
  return main.scrollWidth - main.clientWidth
}"""


def test_the_models_page_fits_the_screen(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.page.goto(f"{server}/models")
        visitor.page.get_by_text("In memory").wait_for()
        for width in (1440, 390):
            visitor.resize_and_wait(width)
            for tab in ("ImageNet classifiers to download", "Add your own", "On this machine"):
                visitor.page.get_by_role("tab", name=tab).click()
                visitor.page.wait_for_timeout(200)
                assert visitor.page.evaluate(OVERFLOW) <= 0
