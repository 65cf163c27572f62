"""The tour by keyboard alone, as it is presented on a projector, and back through it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.journeys.visitor import TIMEOUT, Visitor

WIDTH, HEIGHT = 1024, 768
FOCUSED = """() => {
  let element = document.activeElement
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement
  return [element?.getAttribute("role") ?? "", element?.innerText ?? ""]
}"""
ANSWERED = """() => {
  const answer = document.querySelector(".st-key-tour-answer")
  return answer && !answer.innerText.includes("the answer appears here")
}"""
ANSWER_IN_VIEW = """() => {
  const { top, bottom } = document.querySelector(".st-key-tour-answer").getBoundingClientRect()
  return 0 < top && bottom <= innerHeight
}"""
# How many frames have shown what stop 3 draws in the place of stop 4.
RECORD = """
globalThis.mixed = 0
const look = () => {
  if (document.querySelector(".st-key-tour-stop-4 .st-key-tour-epsilon")) globalThis.mixed += 1
  requestAnimationFrame(look)
}
look()
"""
AT_STOP = """number => new URLSearchParams(location.search).get("stop") === number"""
TITLES = (
    "Adversarial Explorer",
    "How each step is chosen",
    "ε under your finger",
    "Random noise does nothing",
    "Standard beside robust",
    "One picture in five training sets",
    "Bugs or features?",
)


IN_QUESTION = "() => Boolean(document.activeElement?.closest('.st-key-tour-question'))"


def ask_to_be_shown(visitor: Visitor) -> None:
    """Choose the last answer: Tab goes to the choices, and the arrow keys go along them."""
    keyboard = visitor.page.keyboard
    for _ in range(40):
        if visitor.page.evaluate(IN_QUESTION):
            break
        keyboard.press("Tab")
    for _ in range(6):
        if visitor.page.evaluate(FOCUSED)[1].strip() == "Show me":
            break
        keyboard.press("ArrowRight")
    keyboard.press("Enter")
    visitor.page.wait_for_function(ANSWERED)
    visitor.wait_until_idle()


def tab_to(visitor: Visitor, wanted: str) -> None:
    """Move the focus until the focused element has this role or text."""
    for _ in range(60):
        visitor.page.keyboard.press("Tab")
        role, text = visitor.page.evaluate(FOCUSED)
        if wanted in (role, text.strip()):
            return
    raise AssertionError(f"no key leads to {wanted!r}")


def stop_of(visitor: Visitor) -> str:
    return parse_qs(urlsplit(visitor.page.url).query).get("stop", ["1"])[0]


def bottom(visitor: Visitor, selector: str) -> float:
    box = visitor.page.locator(selector).first.bounding_box()
    return float(box["y"] + box["height"])


def wait_for_stop(visitor: Visitor, number: int) -> None:
    page = visitor.page
    page.wait_for_function(
        "title => document.querySelector('h1')?.innerText === title", arg=TITLES[number - 1]
    )
    page.wait_for_selector(".st-key-tour-question button")
    visitor.wait_until_idle()
    assert stop_of(visitor) == str(number)


IN_NO_QUESTION = "() => !document.activeElement?.closest('.st-key-tour-question')"


def go_on(visitor: Visitor, number: int) -> None:
    """Press the key for the next stop, twice if a busy browser has lost it."""
    from playwright.sync_api import TimeoutError as NotReached  # where there is a browser

    page = visitor.page
    page.wait_for_function(IN_NO_QUESTION)
    for _ in range(2):
        page.keyboard.press("ArrowRight")
        try:
            page.wait_for_function(AT_STOP, arg=str(min(7, number + 1)), timeout=20_000)
            return
        except NotReached:
            continue
    raise AssertionError(f"the arrow key does not lead on from stop {number}")


def test_seven_stops_by_keyboard_on_a_projector(browser: Any, server: str) -> None:
    with Visitor(browser, server, WIDTH, HEIGHT) as visitor:
        visitor.page.add_init_script(RECORD)
        page = visitor.open("?present=true").page
        assert not page.locator('[data-testid="stHeader"]').is_visible()
        for number in range(1, 8):
            wait_for_stop(visitor, number)
            for part in ("h1", "img:visible", ".st-key-tour-question"):
                assert 0 < bottom(visitor, part) <= HEIGHT, f"{part} of stop {number} is cut off"
            ask_to_be_shown(visitor)
            page.wait_for_function(ANSWER_IN_VIEW)
            if number == 3:
                tab_to(visitor, "slider")
                page.keyboard.press("ArrowRight")  # moves ε and not the tour
                page.wait_for_function(VALUE, arg="ε 0.75/255")
                visitor.wait_until_idle()
                assert stop_of(visitor) == "3"
                page.evaluate("document.activeElement.blur()")
            go_on(visitor, number)
        assert stop_of(visitor) == "7"
        assert page.evaluate("mixed") <= 2  # one more message of the server may be on its way
        page.keyboard.press("PageUp")
        wait_for_stop(visitor, 6)
        page.go_back()
        wait_for_stop(visitor, 7)
        page.go_back()
        wait_for_stop(visitor, 6)
        page.go_back()
        wait_for_stop(visitor, 5)
        assert page.evaluate(ANSWERED)
        page.keyboard.press("Escape")
        page.wait_for_selector('[data-testid="stHeader"]', state="visible", timeout=TIMEOUT)
        visitor.wait_until_idle()
        assert "present" not in parse_qs(urlsplit(page.url).query)
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(500)
        assert stop_of(visitor) == "5"


def test_no_key_is_lost_while_a_stop_is_computed(browser: Any, server: str) -> None:
    with Visitor(browser, server, WIDTH, HEIGHT) as visitor:
        page = visitor.open("?stop=2").page
        page.locator(".st-key-present label").first.click()  # the switch keeps the focus
        page.wait_for_selector('[data-testid="stHeader"]', state="hidden")
        visitor.wait_until_idle()
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        wait_for_stop(visitor, 5)
        page.keyboard.press("PageUp")
        page.keyboard.press("PageUp")
        wait_for_stop(visitor, 3)


@pytest.mark.parametrize("size", [(1024, 768), (1440, 900)])
@pytest.mark.parametrize("mode", ["false", "true"])
def test_title_picture_and_question_are_in_one_view(
    browser: Any, server: str, size: tuple[int, int], mode: str
) -> None:
    with Visitor(browser, server, *size) as visitor:
        for number in range(1, 8):
            visitor.page.goto(f"{server}/?stop={number}&present={mode}")
            wait_for_stop(visitor, number)
            for part in ("h1", "img:visible", ".st-key-tour-question"):
                assert 0 < bottom(visitor, part) <= size[1], f"{part} of stop {number} is cut off"


def test_pictures_use_the_projectors_screen(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        for number in (4, 5, 7):
            visitor.resize(1024, 768)
            visitor.page.goto(f"{server}/?stop={number}&present=true")
            wait_for_stop(visitor, number)
            for width, height, least in ((1024, 768, 200), (1920, 1080, 380)):
                visitor.resize_and_wait(width, height)
                box = visitor.page.locator("figure img:visible").first.bounding_box()
                assert box["width"] >= least, f"a picture of stop {number} is small"


VALUE = """value => [...document.querySelectorAll('*')].some(
  element => element.shadowRoot?.querySelector('.live .track')?.ariaValueText.includes(value)
)"""


def test_a_word_opens_its_formula_and_its_picture(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        page = visitor.open("?stop=7").page
        for word in ("Wilson interval", "transfer"):
            page.locator(".st-key-glossary-tour button", has_text=word).click()
            body = page.locator('[data-testid="stPopoverBody"]')
            body.locator(".katex").first.wait_for()
            assert body.locator(".katex-error").count() == 0
            picture = body.locator("img")
            assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
            assert picture.get_attribute("alt")
            page.keyboard.press("Escape")
