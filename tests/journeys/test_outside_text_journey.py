"""Text from outside in a real browser: it is shown as it is, and nothing in it comes to life."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.images.pictures import noise
from tests.journeys.test_datasets_journey import select
from tests.journeys.visitor import Visitor
from tests.planted import FILE_MARKUP, MARKUP, plant_functions, plant_pair, plant_sets
from tests.sessions.server import SHORT_LADDERS, running

# All that the planted text could have become, also in the shadow roots of components.
ALIVE = """() => {
  const roots = [document]
  for (const root of roots) {
    for (const each of root.querySelectorAll('*')) if (each.shadowRoot) roots.push(each.shadowRoot)
  }
  const find = (selector) => roots.flatMap((root) => [...root.querySelectorAll(selector)])
  const planted = /planted|127\\.0\\.0\\.1:9\\b|i\\.png/
  return [
    window.__pwned === undefined ? [] : ['a script ran'],
    find('a').filter((a) => planted.test(a.getAttribute('href') ?? '')),
    find('img').filter((img) => /^(x|.*i\\.png)$/.test(img.getAttribute('src') ?? '')),
    find('script').filter((script) => script.textContent.includes('__pwned')),
    find('[onerror], .katex, [aria-label="home icon"], [data-testid=stMarkdownContainer] img'),
    find('code, strong, [style*="color"]').filter((each) => each.textContent === 'planted'),
  ].flat().map((each) => each.outerHTML ?? each)
}"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("planted")


@pytest.fixture(scope="module")
def planted_server(planted: Path) -> Iterator[str]:
    """The app with planted classifiers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_CACHE", str(planted / "cache"))
        patch.setenv("EXPLORER_MODELS", ",".join(plant_functions(planted)))
        plant_pair(planted)
        with running(planted / "log.txt", SHORT_LADDERS) as app:
            yield app.address


def assert_dead(visitor: Visitor) -> None:
    visitor.wait_until_idle()
    assert visitor.page.evaluate(ALIVE) == []


def test_the_attack_page(browser: Any, planted: Path, planted_server: str) -> None:
    upload = planted / f"{FILE_MARKUP}.png"
    noise(64, 48).save(upload)
    model = f"{planted / FILE_MARKUP}.py:make"
    with Visitor(browser, planted_server) as visitor:
        target = {"model": model, "steps": "3", "linf": "8", "target": f"1 {MARKUP}"}
        visitor.open(f"attack?{urlencode(target)}")
        page = visitor.page
        assert all(MARKUP in name for name in visitor.names)
        page.get_by_text("upload", exact=True).click()
        page.locator(".st-key-upload input[type=file]").set_input_files(upload)
        visitor.wait_until_idle()
        page.get_by_text("Apply the change to the full-size photograph").click()
        visitor.wait_until_idle()
        page.get_by_text("More settings").click()
        page.get_by_role("button", name="Suggest a target").click()
        page.get_by_role("button", name=f"0 {MARKUP}").first.wait_for()
        assert_dead(visitor)
        page.keyboard.press("Escape")
        page.locator(".st-key-target input").click()
        page.get_by_role("option").first.wait_for()
        assert_dead(visitor)
        page.keyboard.press("Escape")
        visitor.wait_until_idle()  # without a target there is another attack, and another chart
        bar = page.locator(".barlayer .point").first
        bar.scroll_into_view_if_needed()
        page.wait_for_timeout(500)  # a scrolling page moves the bar away from the pointer
        bar.hover(force=True)
        page.locator(".hoverlayer text").first.wait_for()
        assert_dead(visitor)


def test_the_data_page(browser: Any, planted: Path, planted_server: str) -> None:
    good, bad = plant_sets(planted)
    with Visitor(browser, planted_server) as visitor:
        visitor.open("datasets?pair=user:planted&match_steps=10&attack_steps=5")
        assert_dead(visitor)
        select(visitor, "set", "a file or folder")
        page = visitor.page
        for path, text in ((good, "Of <img src=x"), (bad, "has the columns <img src=x")):
            page.locator(".st-key-set_path input").fill(str(path))
            page.keyboard.press("Enter")
            if path == good:
                visitor.wait_until_idle()
                page.locator(".st-key-origin").get_by_text("set", exact=True).click()
            page.get_by_text(text).first.wait_for()
            assert_dead(visitor)


def test_the_models_page(browser: Any, planted_server: str) -> None:
    with Visitor(browser, planted_server) as visitor:
        visitor.page.goto(f"{planted_server}/models")
        visitor.page.get_by_text("In memory").wait_for()
        assert visitor.page.get_by_text(f"{FILE_MARKUP}.py:make").count()
        assert_dead(visitor)
