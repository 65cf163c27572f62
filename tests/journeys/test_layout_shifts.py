"""Nothing on a page moves while its results load, by the browser's own layout-shift entries.

All pages and their sections are opened at three sizes, each by a server that has computed nothing
before. ``EXPLORER_EVERY_LOOK=1 python -m pytest tests/journeys/test_layout_shifts.py`` does so; an
ordinary run does not: it would take six minutes, and on a busy machine more is still loading.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import EVERY_LOOK
from tests.journeys.test_every_page import PAGES
from tests.journeys.visitor import Visitor
from tests.sessions.server import SHORT_LADDERS, running

pytestmark = pytest.mark.skipif(not EVERY_LOOK, reason="needs EXPLORER_EVERY_LOOK=1")

SIZES = [(1440, 900), (1024, 768), (390, 664)]
MOST = 0.02  # of a shift: the share of the window that moved, times how far
# A shift of the whole page is Streamlit laying out its own frame at the start.
RECORD = """
globalThis.shifts = []
const PAGE = "[data-testid=stMainBlockContainer]"
const nameOf = (node) => {
  const keyed = node?.closest?.("[class*=st-key-]")
  return String(keyed?.className.match(/st-key-\\S+/) ?? node?.textContent?.slice(0, 40))
}
const described = ({ node, previousRect: before, currentRect: after }) =>
  `${nameOf(node)}: ${before.y} + ${before.height} > ${after.y} + ${after.height}`
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const isFrame = entry.sources.some(({ node }) =>
      node?.matches?.(PAGE) || node?.querySelector?.(PAGE))
    if (entry.hadRecentInput || isFrame) continue
    globalThis.shifts.push([entry.value, entry.sources.map(described)])
  }
}).observe({ type: "layout-shift", buffered: true })
"""


@pytest.fixture(scope="module", params=SIZES, ids=lambda size: f"{size[0]}-{size[1]}")
def visited(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The address of a server that has computed nothing yet, and the size of its window."""
    folder = tmp_path_factory.mktemp("shifts")
    cache = str(folder / "cache")
    with running(folder / "log.txt", SHORT_LADDERS, EXPLORER_CACHE=cache) as app:
        yield app.address, request.param


@pytest.mark.parametrize("path", PAGES)
def test_nothing_moves_while_results_load(
    browser: Any, visited: tuple[str, tuple[int, int]], path: str
) -> None:
    server, size = visited
    with Visitor(browser, server, *size) as visitor:
        visitor.page.add_init_script(RECORD)
        visitor.page.goto(f"{server}/{path}")
        visitor.page.wait_for_selector("h1")
        visitor.wait_until_idle()
        visitor.page.wait_for_timeout(1500)  # charts come with a script of their own
        visitor.wait_until_idle()
        shifts = visitor.page.evaluate("() => globalThis.shifts")
    moved = [f"{value:.3f}: {', '.join(what)}" for value, what in shifts if value > MOST]
    assert not moved, "\n".join(moved)
