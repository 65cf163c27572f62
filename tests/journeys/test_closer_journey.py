"""Looking closer at the pictures of an attack: zoom, pan, blink, before and after."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.journeys.visitor import Visitor

PLACES = """() => [...document.querySelectorAll('*')]
  .flatMap(element => [...(element.shadowRoot?.querySelectorAll('.picture img') ?? [])])
  .map(image => image.style.transform)"""
WHOLE = "scale(1) translate(0%, 0%)"


def places(visitor: Visitor) -> list[str]:
    return list(visitor.page.evaluate(PLACES))


@pytest.fixture(scope="module")
def visitor(browser: Any, server: str) -> Iterator[Visitor]:
    """A visitor of one attack, whose pictures all tests look at."""
    with Visitor(browser, server) as visitor:
        yield visitor.open("attack?model=cifar10-standard&linf=8&steps=3")


def test_zoom_is_the_same_in_all_pictures_and_stays_when_epsilon_moves(visitor: Visitor) -> None:
    page, pictures = visitor.page, visitor.page.locator(".picture")
    assert places(visitor) == [WHOLE] * 3
    page.get_by_role("button", name="Zoom in").click()
    zoomed = places(visitor)
    assert zoomed[0].startswith("scale(1.5)")
    assert zoomed == zoomed[:1] * 3
    page.locator(".row").first.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    moved = places(visitor)
    assert moved == moved[:1] * 3
    assert moved[0].startswith("scale(2.25)")
    box = pictures.nth(1).bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 60, steps=3)
    page.mouse.up()
    dragged = places(visitor)
    assert dragged != moved
    assert dragged == dragged[:1] * 3
    before = page.locator(".picture img").nth(2).get_attribute("src")
    page.locator(".st-key-linf input").first.focus()
    page.keyboard.press("ArrowRight")
    visitor.wait_for(
        """before => [...document.querySelectorAll('*')].some(element => {
          const image = element.shadowRoot?.querySelectorAll('.picture img')[2]
          return image && image.src !== before
        })""",
        before,
    )
    assert places(visitor) == dragged
    pictures.nth(2).dblclick()
    assert places(visitor) == [WHOLE] * 3


def test_the_original_is_laid_over_the_adversarial_image(visitor: Visitor) -> None:
    page = visitor.page
    blink = page.get_by_role("button", name="in turn")
    split = page.get_by_role("button", name="Lay the original over")
    blink.click()
    over = page.locator(".overlay")
    animation = over.evaluate("e => [getComputedStyle(e).animationName, e.className]")
    assert animation == ["blink", "overlay blink"]
    original = page.locator(".picture img").first.get_attribute("src")
    assert over.locator("img").get_attribute("src") == original
    split.click()
    assert (blink.get_attribute("aria-pressed"), split.get_attribute("aria-pressed")) == (
        "false",
        "true",
    )
    page.get_by_role("slider", name="how much of the original").focus()
    page.keyboard.press("ArrowRight")
    assert over.evaluate("e => e.style.getPropertyValue('--split')") == "51%"
    split.click()
    assert not over.is_visible()
