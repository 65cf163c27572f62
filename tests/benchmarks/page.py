"""From ε moved to pixels painted, by stage, in a real browser: ``python -m tests.benchmarks.page [--model NAME] [--moves N] [--json]``.

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

from playwright.sync_api import Page, sync_playwright

from tests.journeys.conftest import CHROMIUM, FLAGS, running

STAGES = ("waited", "prepared", "attacked", "filmed", "encoded")
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


def move(page: Page, key: str) -> dict[str, Any]:
    """One move of the slider: milliseconds by stage."""
    page.evaluate(WATCH)
    page.locator(".st-key-linf [role=slider], .st-key-linf input[type=range]").first.press(key)
    found: dict[str, Any] = page.evaluate("() => window.painted")
    found["sent and painted"] = found["total"] - sum(found[stage] for stage in STAGES if not found["kept"] or stage == "encoded")
    page.wait_for_timeout(400)
    return found


def measure(address: str, model: str, moves: int) -> dict[str, list[dict[str, Any]]]:
    """``moves`` to the right, each a new attack, and as many back, each kept from before."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{address}/attack?model={model}&linf=2")
        page.wait_for_selector(".picture img[src]")
        page.wait_for_timeout(5000)  # the later imports, the engine's copy
        new = [move(page, "ArrowRight") for _ in range(moves)]
        kept = [move(page, "ArrowLeft") for _ in range(moves)]
        browser.close()
    return {"new": new[1:], "kept from before": kept[:-1]}


def medians(rows: list[dict[str, Any]]) -> dict[str, float]:
    names = ("total", *STAGES, "sent and painted")
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in names}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="tiny12-standard")
    parser.add_argument("--moves", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder, "log.txt")) as address:
        found = {kind: medians(rows) for kind, rows in measure(address, options.model, options.moves).items()}
    if options.json:
        print(json.dumps({"model": options.model, "moves": options.moves, "milliseconds": found}))
        return
    print(f"{options.model}, medians of {options.moves} moves of ε, in milliseconds")
    for kind, row in found.items():
        shown = row if kind == "new" else {name: row[name] for name in ("total", "encoded", "sent and painted")}
        print(f"{kind:17s}" + "  ".join(f"{name} {value:g}" for name, value in shown.items()))


if __name__ == "__main__":
    main()
