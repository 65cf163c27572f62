"""The README's pictures, made from the running app: ``python -m tests.screenshots``.

Writes ``assets/screenshot-panda.png``, ``assets/screenshot-data.png`` and ``assets/epsilon.webp``,
ten seconds of ε under the finger. It needs Chromium and EfficientNet-Lite0.
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from explorer.files import ASSETS
from tests.journeys.conftest import CHROMIUM, FLAGS
from tests.journeys.visitor import Visitor
from tests.sessions.server import running

WIDTH = 1440
CLASSIFIER = "attack?model=cifar10-standard&image=cat&linf=0.5"
FRAMES, SECONDS = 50, 10.0
LARGEST = 0.42  # of the slider: there the classifier is sure of another class
ANIMATION_WIDTH = 720


def screenshot(browser: Any, server: str, path: str, height: int) -> Image.Image:
    """A page in light, once nothing is computed any more."""
    with Visitor(browser, server, WIDTH, height) as visitor:
        visitor.page.goto(f"{server}/{path}")
        visitor.page.wait_for_selector("h1")
        for _ in range(3):  # a page that has shown its text asks for more
            visitor.wait_until_idle()
            visitor.page.wait_for_timeout(1500)
        return Image.open(io.BytesIO(visitor.page.screenshot())).convert("RGB")


def frames_of_epsilon(browser: Any, server: str) -> list[Image.Image]:
    """The triptych and the slider while a finger moves ε to the right and back."""
    frames = []
    with Visitor(browser, server, 1024, 1000) as visitor:
        page = visitor.open(CLASSIFIER).page
        track = page.locator(".live .track")
        track.wait_for()
        page.get_by_text("Smallest ε at which an attack succeeded").wait_for()
        track.scroll_into_view_if_needed()
        box = track.bounding_box()
        row = page.locator(".picture").first.bounding_box()
        clip = {"x": row["x"] - 20, "y": row["y"] - 110, "width": box["x"] + box["width"] + 40}
        clip["width"] -= clip["x"]
        clip["height"] = box["y"] + 330 - clip["y"]
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 2, y)
        page.mouse.down()
        for number in range(FRAMES):
            share = 1 - abs(2 * number / (FRAMES - 1) - 1)
            page.mouse.move(box["x"] + 2 + share * LARGEST * box["width"], y)
            page.wait_for_timeout(80)
            frame = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
            size = ANIMATION_WIDTH, round(frame.height * ANIMATION_WIDTH / frame.width)
            frames.append(frame.resize(size, Image.Resampling.LANCZOS))
        page.mouse.up()
    return frames


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        with running(Path(folder, "log.txt"), EXPLORER_CACHE=f"{folder}/cache") as server:
            address = server.address
            panda = screenshot(browser, address, "", 860)
            panda.save(ASSETS / "screenshot-panda.png", optimize=True)
            data = screenshot(browser, address, "datasets", 1050)
            data.save(ASSETS / "screenshot-data.png", optimize=True)
            first, *others = frames_of_epsilon(browser, address)
        duration = round(1000 * SECONDS / FRAMES)
        first.save(
            ASSETS / "epsilon.webp",
            save_all=True,
            append_images=others,
            duration=duration,
            loop=0,
            quality=60,
            method=4,
        )
        browser.close()


if __name__ == "__main__":
    main()
