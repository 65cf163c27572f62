"""The time from moving ε to painted pixels, by stage, in a real browser:

python -m tests.benchmarks.page [--model NAME] [--moves N] [--people 1 2 4] [--json]

The slider is moved by keys. The clock runs in the browser, from the key to the first frame after
the new adversarial picture is decoded. The server measures the stages before that; the rest is
sending, drawing the page and painting.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.journeys.conftest import CHROMIUM, FLAGS
from tests.sessions.server import running

STAGES = ("queue", "preparation", "attack", "sprite_sheet", "encoding")
# Starts the clock at the next key; stops it a frame after a new adversarial picture is decoded.
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
      const start = performance.now()
      const poll = async () => {
        if (image.src === before) return requestAnimationFrame(poll)
        await image.decode()
        const stop = () => {
          const timing = JSON.parse(find().dataset.timing)
          resolve({ total: performance.now() - start, ...timing })
        }
        requestAnimationFrame(() => requestAnimationFrame(stop))
      }
      poll()
    }, { once: true, capture: true })
  })
}"""
SLIDER = ".st-key-linf [role=slider], .st-key-linf input[type=range]"


def open_page(browser: Browser, address: str, model: str, seed: int) -> Page:
    """The attack page in a new session; another seed is another attack."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/attack?model={model}&linf=2&steps=40&seed={seed}")
    page.wait_for_selector(".picture img[src]")
    return page


def move_sliders(pages: list[Page], key: str) -> list[dict[str, Any]]:
    """Milliseconds by stage on each page, after one move of all sliders at nearly the same time."""
    for page in pages:
        page.evaluate(WATCH)
    for page in pages:
        page.locator(SLIDER).first.press(key)
    rows: list[dict[str, Any]] = [page.evaluate("() => window.painted") for page in pages]
    for row in rows:
        stages = ("encoding",) if row["from_cache"] else STAGES
        row["sent and painted"] = row["total"] - sum(row[stage] for stage in stages)
    pages[0].wait_for_timeout(400)
    return rows


def measure(address: str, model: str, moves: int, people: int) -> dict[str, list[dict[str, Any]]]:
    """The times of ``moves`` to the right, which are new attacks, and of as many moves back.

    Results of the latter come from the cache. ``people`` pages are moved at once.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        pages = [open_page(browser, address, model, seed=100 * people + i) for i in range(people)]
        pages[0].wait_for_timeout(5000)  # for late imports and the engine's copy
        new = [move_sliders(pages, "ArrowRight") for _ in range(moves)]
        cached = [move_sliders(pages, "ArrowLeft") for _ in range(moves)]
        browser.close()
    return {
        "new": [row for rows in new[1:] for row in rows],
        "from cache": [row for rows in cached[:-1] for row in rows],
    }


def medians(rows: list[dict[str, Any]]) -> dict[str, float]:
    """The median of each stage."""
    names = ("total", *STAGES, "sent and painted")
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny12-standard")
    parser.add_argument("--moves", type=int, default=12)
    parser.add_argument("--people", type=int, nargs="+", default=[1])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder, "log.txt")) as app:
        times = {
            people: {
                kind: medians(rows)
                for kind, rows in measure(app.address, options.model, options.moves, people).items()
            }
            for people in options.people
        }
    if options.json:
        values = {"model": options.model, "moves": options.moves, "milliseconds by people": times}
        print(json.dumps(values))
        return
    print(f"{options.model}, medians of {options.moves} moves of ε, in milliseconds")
    for people, kinds in times.items():
        for kind, row in kinds.items():
            stages = tuple(row) if kind == "new" else ("total", "encoding", "sent and painted")
            cells = "  ".join(f"{stage} {row[stage]:g}" for stage in stages)
            print(f"{people} at once, {kind:17s}{cells}")


if __name__ == "__main__":
    main()
