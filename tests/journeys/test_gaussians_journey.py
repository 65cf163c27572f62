"""The plane of two Gaussians in a real browser: its numbers are those of the Python code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from explorer.experiments.gaussians import TwoGaussians, least_penalty, penalty_for, risk_gap
from explorer.experiments.gaussians_table import classifiers_of
from explorer.figures.captions import percent
from explorer.ui.gaussians.page import KEYS
from explorer.ui.gaussians.plane import PlaneState
from tests.journeys.visitor import Visitor

STATES = (
    PlaneState(6.0, 3.0, 6.0, 1.5, 0.0, 0.0),
    PlaneState(-2.0, 4.0, 1.0, 5.0, 0.8, 0.3),
    PlaneState(5.0, 0.5, 7.0, 1.0, 0.6, 6.0),
)
# The milliseconds between frames while the mean is dragged along a circle.
FRAMES = """async () => {
  const root = [...document.querySelectorAll('*')].map(each => each.shadowRoot)
    .find(each => each?.querySelector('.plot'))
  const plot = root.querySelector('.plot')
  const handle = root.querySelector('.handle-group')
  const box = plot.getBoundingClientRect()
  const at = (kind, angle) => handle.dispatchEvent(new PointerEvent(kind, {
    bubbles: true, pointerId: 1,
    clientX: box.left + box.width * (0.6 + 0.2 * Math.cos(angle)),
    clientY: box.top + box.height * (0.5 + 0.2 * Math.sin(angle)),
  }))
  handle.setPointerCapture = () => {}
  const begun = performance.now()
  at('pointerdown', 0)
  for (let i = 0; i < 30; i += 1) {
    at('pointermove', i / 5)
    await new Promise(requestAnimationFrame)
  }
  at('pointerup', 6)
  return (performance.now() - begun) / 30
}"""


def open_plane(visitor: Visitor, state: PlaneState) -> None:
    address = urlencode(dict(zip(KEYS, vars(state).values(), strict=True)))
    visitor.page.goto(f"{visitor.server}/gaussians?{address}")
    visitor.page.wait_for_selector(".errors .value")
    visitor.wait_until_idle()


def values(visitor: Visitor, row: str) -> list[str]:
    """The two numbers of a row of the table."""
    cells = visitor.page.locator(f".{row} .value")
    return [str(text).replace("\N{NO-BREAK SPACE}", " ") for text in cells.all_inner_texts()]


@pytest.fixture(scope="module")
def visitor(browser: Any, server: str) -> Iterator[Visitor]:
    """A visitor at a desk, whose page two of the tests use in turn."""
    with Visitor(browser, server) as visitor:
        open_plane(visitor, STATES[0])
        yield visitor


def test_dragging_redraws_in_every_frame(visitor: Visitor) -> None:
    before = values(visitor, "angle")
    print(f"{visitor.page.evaluate(FRAMES):.1f} ms a frame")
    assert values(visitor, "angle") != before


def test_the_numbers_are_those_of_the_closed_forms(visitor: Visitor) -> None:
    for state in STATES:
        open_plane(visitor, state)
        gaussians = state.gaussians()
        both = classifiers_of(gaussians, state.radius)
        assert values(visitor, "clean") == [percent(each.error) for each in both]
        assert values(visitor, "attacked") == [percent(each.adversarial_error) for each in both]
        assert values(visitor, "angle") == [f"{each.angle:.1f}°" for each in both]
        assert_theorem_1(visitor.text(".theorem-1"), gaussians, state.radius)


def assert_theorem_1(text: str, gaussians: TwoGaussians, radius: float) -> None:
    penalty = penalty_for(gaussians, radius)
    if radius == 0:
        assert "without an adversary" in text
    elif penalty > least_penalty(gaussians):
        assert f"− d = {risk_gap(gaussians, penalty):.3g} " in text
    else:
        assert "whose gain grows for ever" in text


def test_the_mean_is_moved_by_keys_and_stays_in_the_address(browser: Any, server: str) -> None:
    with Visitor(browser, server, width=390, height=844, dark=True) as visitor:
        open_plane(visitor, STATES[0])
        before = values(visitor, "clean")
        visitor.page.locator(".handle-group").first.focus()
        for _ in range(4):
            visitor.page.keyboard.press("ArrowRight")
        visitor.page.wait_for_url("**gauss_x=7.0*")
        after = values(visitor, "clean")
        assert after != before
        visitor.wait_until_idle().page.reload()
        visitor.page.wait_for_selector(".errors .value")
        assert values(visitor, "clean") == after
        body = visitor.page.locator("body")
        assert body.evaluate("each => each.scrollWidth <= window.innerWidth")
