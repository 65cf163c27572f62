"""Every page as an eye meets it: nothing cut, nothing over something else, all of it legible.

All pages and their sections are opened in a window of 1440 × 900, and then seen at other sizes:

- 1024 × 768 (a projector) and 390 × 844 (a phone);
- 720 × 450 and 512 × 384, which is 1440 × 900 and 1024 × 768 at 200 % zoom. A phone's zoom lays out
  nothing anew; 320 × 640, the width of WCAG's success criterion 1.4.10, is there for it.

``EXPLORER_EVERY_LOOK=1 python -m pytest tests/journeys/test_every_page.py`` looks at all of them,
light and dark, with axe-core at 1440 and 390. An ordinary run opens the first section of each page
once, in light and in dark by turns, and looks at fewer sizes. Results are computed with few steps:
what counts here is their form.
"""

from __future__ import annotations

import importlib.resources
import itertools
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from explorer.files import PAGES as PAGE_SCRIPTS
from explorer.ui.features.sections import SECTIONS as FEATURE_SECTIONS
from explorer.ui.lab.sections import SECTIONS as LAB_SECTIONS
from explorer.ui.overview.stops import STOPS
from tests import EVERY_LOOK
from tests.journeys.visitor import Visitor

needs_axe = pytest.mark.skipif(
    find_spec("axe_playwright_python") is None, reason="needs axe-playwright-python"
)

TOUR = [f"?stop={number}" for number in range(1, 8)]
FEATURES = [
    "features",
    "features?features_section=Large+%CE%B5",
    "features?features_section=Layer+by+layer",
    "features?features_section=Drawn+from+noise&features_drawn_steps=5",
    "features?features_section=Inverted&features_inverted_steps=50",
    "features?features_section=Painting&features_painted_steps=5",
]
LAB = [
    "lab?lab_dispute_steps=5",
    "lab?lab_section=Universal+perturbation&lab_uni_steps=5",
    "lab?lab_section=Patch",
]
PAGES = [
    *TOUR,
    "attack",
    "compare?compare_steps=3",
    *FEATURES,
    "curves?curves_steps=3",
    "datasets",
    "gaussians",
    *LAB,
    "models",
]
PROJECTOR, PHONE, ZOOMED = (1024, 768), (390, 844), (720, 450)
EVERY_SIZE = [PROJECTOR, PHONE, ZOOMED, (512, 384), (320, 640)]
THEMES = ("light", "dark")
if EVERY_LOOK:
    LOOKS = list(itertools.product(PAGES, THEMES))
else:
    FIRST = [TOUR[0], *(path for path in PAGES if "stop=" not in path and "section=" not in path)]
    LOOKS = list(zip(FIRST, itertools.cycle(THEMES), strict=False))

FAULTS = Path(__file__).with_name("page_checks.js").read_text(encoding="utf-8")
# axe's rules on contrast, names, roles and the order of headings. "region": Streamlit marks no
# landmarks. "scrollable-region-focusable": nothing scrolls inside of the page but a code block.
AXE = """async () => {
  const rules = { region: { enabled: false } }
  const { violations } = await axe.run(document, { resultTypes: ["violations"], rules })
  return violations.filter(({ id, impact }) => impact !== "minor" || id === "heading-order")
    .flatMap(({ id, nodes }) => nodes.map(({ any, html }) =>
      `${id}: ${any[0]?.message ?? ""} ${html.slice(0, 160)}`))
}"""
CHARTS_FIT = """() => [...document.querySelectorAll(".js-plotly-plot")].every((chart) =>
  [...chart.querySelectorAll(".main-svg")].every((part) =>
    part.clientWidth <= chart.parentElement.clientWidth + 1))"""


def test_no_page_is_left_out() -> None:
    addresses = [urlsplit(path) for path in PAGES]
    assert {address.path or "overview" for address in addresses} == {
        script.stem for script in PAGE_SCRIPTS.glob("*.py")
    }
    queries = [parse_qs(address.query) for address in addresses]
    for key, sections in (("features_section", FEATURE_SECTIONS), ("lab_section", LAB_SECTIONS)):
        titles = {title for query in queries for title in query.get(key, [])}
        assert titles == {section.title for section in sections[1:]}  # a page begins with the first
    assert {title for query in queries for title in query.get("stop", [])} == {
        str(stop.number) for stop in STOPS
    }


def axe_source() -> str:
    source = importlib.resources.files("axe_playwright_python") / "axe.min.js"
    return source.read_text(encoding="utf-8")


def look(visitor: Visitor, size: tuple[int, int]) -> list[str]:
    visitor.resize(*size)
    visitor.page.wait_for_timeout(400)  # the sidebar slides, and charts are drawn anew
    visitor.page.wait_for_function(CHARTS_FIT)
    return [f"{size[0]} × {size[1]}: {fault}" for fault in visitor.page.evaluate(FAULTS)]


def legible(visitor: Visitor) -> list[str]:
    page = visitor.page
    if page.evaluate("() => typeof axe") == "undefined":
        page.evaluate(axe_source())
    return list(page.evaluate(AXE))


@needs_axe
@pytest.mark.parametrize(("path", "theme"), LOOKS)
def test_every_page_is_whole_and_legible(browser: Any, server: str, path: str, theme: str) -> None:
    with Visitor(browser, server, dark=theme == "dark") as visitor:
        visitor.page.goto(f"{server}/{path}")
        visitor.page.wait_for_selector("h1")
        visitor.wait_until_idle()
        visitor.page.wait_for_timeout(500)  # charts come with a script of their own
        visitor.wait_until_idle()
        faults = look(visitor, (1440, 900)) + legible(visitor)
        for size in EVERY_SIZE if EVERY_LOOK else (PHONE, ZOOMED):
            faults += look(visitor, size)
            if EVERY_LOOK and size == PHONE:
                faults += legible(visitor)
        assert not faults, "\n".join(faults)


LAYER_NAMES_CUT = """() => [...document.querySelectorAll(".js-plotly-plot")].flatMap((chart) => {
  const { bottom } = chart.querySelector(".main-svg").getBoundingClientRect()
  return [...chart.querySelectorAll(".xtick text")]
    .filter((name) => name.getBoundingClientRect().bottom > bottom).map((name) => name.textContent)
})"""


@pytest.mark.parametrize("path", ["attack", FEATURES[2]])
def test_nothing_is_cut_in_large_type(browser: Any, server: str, path: str) -> None:
    with Visitor(browser, server) as visitor:
        page = visitor.page
        page.goto(f"{server}/{path}{'&' if '?' in path else '?'}large=true")
        page.wait_for_selector("h1")
        visitor.wait_until_idle()
        page.wait_for_timeout(500)
        if path == "attack":  # its fields are in the sidebar, some of them in an expander
            page.locator("summary", has_text="More settings").click()
        else:
            page.wait_for_selector(".xtick text")
        faults = look(visitor, (1440, 900)) + look(visitor, PROJECTOR)
        assert not faults, "\n".join(faults)
        assert page.evaluate(LAYER_NAMES_CUT) == []


def test_a_list_of_names_ends_with_a_whole_row(browser: Any, server: str) -> None:
    with Visitor(browser, server, *PROJECTOR) as visitor:
        page = visitor.open("attack").page
        page.locator("summary", has_text="More settings").click()
        page.locator(".st-key-label input").first.click()
        page.wait_for_selector("[role=option]")
        rows = "list => list.clientHeight / list.querySelector('[role=option]').offsetHeight"
        shown = page.locator("[role=listbox]").evaluate(rows)
        assert shown == pytest.approx(round(shown), abs=0.02)
