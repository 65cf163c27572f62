"""ε under the finger: the picture follows in the browser, and is attacked where ε is let go."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.journeys.visitor import Visitor

COMPLETE = """() => [...document.querySelectorAll('*')].some(element =>
  element.shadowRoot?.querySelector('.live .progress')?.textContent.startsWith('Smallest')
)"""
VALUE = """value => [...document.querySelectorAll('*')].some(
  element => element.shadowRoot?.querySelector('.live .track')?.ariaValueText.includes(value)
)"""
PARTS = (".picture img >> nth=2", ".live .track", ".live .panels", ".st-key-bars")


def positions(visitor: Visitor) -> list[tuple[float, float]]:
    boxes = [visitor.page.locator(part).first.bounding_box() for part in PARTS]
    return [(box["y"], box["width"]) for box in boxes]


def epsilon_of(visitor: Visitor) -> str:
    return parse_qs(urlsplit(visitor.page.url).query)["linf"][0]


def test_the_picture_follows_the_finger_and_is_attacked_where_it_lands(
    browser: Any, ladder_server: str
) -> None:
    with Visitor(browser, ladder_server, height=1400) as visitor:
        visitor.open("attack?model=cifar10-standard&linf=8&steps=20")
        page, track = visitor.page, visitor.page.locator(".live .track")
        page.wait_for_function(COMPLETE)
        visitor.wait_until_idle()
        assert visitor.outcome == "✗ fooled"
        before, exact = positions(visitor), visitor.picture(2)
        box = track.bounding_box()
        assert box["height"] >= 40
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2, steps=5)
        page.wait_for_function(VALUE, arg="ε 0/255")
        assert visitor.outcome == "✓ held"  # the finger is still down
        assert (visitor.picture(2) == visitor.picture(0)).all()
        assert "computed at 0/255" in track.get_attribute("aria-valuetext")
        assert epsilon_of(visitor) == "8"
        assert positions(visitor) == before
        page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] / 2, steps=5)
        page.wait_for_function(VALUE, arg="computed at 12/255")
        shown = visitor.picture(2)
        assert (shown != exact).any()
        page.mouse.up()
        page.wait_for_function(VALUE, arg="attacked at this ε")
        visitor.wait_until_idle()
        assert epsilon_of(visitor) == "11.5"
        assert positions(visitor) == before
        operator = visitor.text(".operator")
        assert operator == "+ 11.5/255\N{NO-BREAK SPACE}×"


def test_the_slider_answers_keys_and_agrees_with_the_one_among_the_controls(
    browser: Any, ladder_server: str
) -> None:
    with Visitor(browser, ladder_server) as visitor:
        visitor.open("attack?model=cifar10-standard&linf=8&steps=20")
        page, track = visitor.page, visitor.page.locator(".live .track")
        page.wait_for_function(COMPLETE)
        visitor.wait_until_idle()
        track.focus()
        for key, value in (
            ("ArrowLeft", "7.75"),
            ("PageDown", "5.75"),
            ("End", "32"),
            ("Home", "0"),
            ("PageUp", "2"),
        ):
            page.keyboard.press(key)
            page.wait_for_function(VALUE, arg=f"ε {value}/255")
        page.wait_for_function(VALUE, arg="attacked at this ε")
        visitor.wait_until_idle()
        assert epsilon_of(visitor) == "2"
        assert "2/255" in visitor.text(".st-key-linf")
        assert track.get_attribute("role") == "slider"
        assert track.get_attribute("aria-valuenow") == "2"
