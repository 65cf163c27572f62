"""From ε moved to pixels painted, by stage, in a real browser: ``python -m tests.benchmarks.page [--model NAME] [--moves N]
[--people 1 2 4] [--json]``.

The slider is moved by keys. The clock runs in the browser, from the key to the first frame after the new adversarial picture is
decoded. The stages before that are the server's own; what is left is sending, drawing the page and painting.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.conftest import CHROMIUM, FLAGS, running

STAGES = ("queue", "preparation", "attack", "sprite_sheet", "encoding")
# Notes the moment of the key, then waits for another adversarial picture: decoded, and a frame later.
WATCH = """() => {
  const find = () => {
    for (const host of document.querySelectorAll('[data-testid="stApp"] *')) {
      const row = host.shadowRoot && host.shadowRoot.querySelector('.row')
      if (row && row.dataset.timing) return row
    }
  }
  const image = find().querySelectorAll('.picture img')[2]
  const before = image.src
  window.painted = new Promise((resolve) => {
    addEventListener('keydown', () => {
      const begun = performance.now()
      const look = async () => {
        if (image.src === before) return requestAnimationFrame(look)
        await image.decode()
        const done = () => resolve({ total: performance.now() - begun, ...JSON.parse(find().dataset.timing) })
        requestAnimationFrame(() => requestAnimationFrame(done))
      }
      look()
    }, { once: true, capture: true })
  })
}"""


def visit(browser: Browser, address: str, model: str, seed: int) -> Page:
    """A visitor of their own on the attack page: another seed is another attack."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/attack?model={model}&linf=2&seed={seed}")
    page.wait_for_selector(".picture img[src]")
    return page


def move(pages: list[Page], key: str) -> list[dict[str, Any]]:
    """One move of everybody's slider, as good as at once: milliseconds by stage, for each."""
    for page in pages:
        page.evaluate(WATCH)
    for page in pages:
        page.locator(".st-key-linf [role=slider], .st-key-linf input[type=range]").first.press(key)
    rows: list[dict[str, Any]] = [page.evaluate("() => window.painted") for page in pages]
    for row in rows:
        row["sent and painted"] = row["total"] - sum(
            row[stage] for stage in STAGES if not row["from_cache"] or stage == "encoding"
        )
    pages[0].wait_for_timeout(400)
    return rows


def measure(address: str, model: str, moves: int, people: int) -> dict[str, list[dict[str, Any]]]:
    """``moves`` to the right, each a new attack, and as many back, each from cache, by so many ``people`` at once."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = [visit(browser, address, model, seed=100 * people + i) for i in range(people)]
        pages[0].wait_for_timeout(5000)  # the later imports, the engine's copy
        new = [move(pages, "ArrowRight") for _ in range(moves)]
        cached = [move(pages, "ArrowLeft") for _ in range(moves)]
        browser.close()
    return {
        "new": [row for rows in new[1:] for row in rows],
        "from cache": [row for rows in cached[:-1] for row in rows],
    }


def medians(rows: list[dict[str, Any]]) -> dict[str, float]:
    names = ("total", *STAGES, "sent and painted")
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny12-standard")
    parser.add_argument("--moves", type=int, default=12)
    parser.add_argument("--people", type=int, nargs="+", default=[1])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder, "log.txt")) as address:
        found = {
            people: {
                kind: medians(rows)
                for kind, rows in measure(address, options.model, options.moves, people).items()
            }
            for people in options.people
        }
    if options.json:
        print(
            json.dumps(
                {"model": options.model, "moves": options.moves, "milliseconds by people": found}
            )
        )
        return
    print(f"{options.model}, medians of {options.moves} moves of ε, in milliseconds")
    for people, kinds in found.items():
        for kind, row in kinds.items():
            shown = (
                row
                if kind == "new"
                else {name: row[name] for name in ("total", "encoding", "sent and painted")}
            )
            print(
                f"{people} at once, {kind:17s}"
                + "  ".join(f"{name} {value:g}" for name, value in shown.items())
            )


if __name__ == "__main__":
    main()
