"""A visitor of the app: a browser window that records every error of the page."""

from __future__ import annotations

import base64
import io
import re
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PROGRESS = "document.querySelector('[data-testid=stProgress]')"
TIMEOUT = 90_000  # milliseconds
# Resolves when the page and its sidebar have kept their places in thirty frames, half a second on
# an idle machine. Frames come later on a busy one, as what moves does.
STILL = """() => new Promise((resolve) => {
  const parts = "[data-testid=stMain], [data-testid=stMainBlockContainer], [data-testid=stSidebar]"
  let places = "", frames = 0
  const look = () => {
    const boxes = [...document.querySelectorAll(parts)].map((part) => part.getBoundingClientRect())
    const now = JSON.stringify(boxes)
    frames = now === places ? frames + 1 : 0
    places = now
    frames === 30 ? resolve() : requestAnimationFrame(look)
  }
  look()
})"""
# A page that is opened by its address first requests Streamlit's end points below that address.
MISSING_END_POINTS = re.compile(r"/[a-z]+/_stcore/(health|host-config)$")


class Visitor:
    """A context manager that opens pages of ``server``.

    It asserts at the end that there was no error and no request to another server.
    """

    def __init__(
        self, browser: Any, server: str, width: int = 1440, height: int = 900, dark: bool = False
    ) -> None:
        self.server = server
        # A context that another visitor has left has Streamlit's scripts in its cache, compiled.
        # A blank page stays open in it: a new window takes 1.0 s of processor time, a new page in
        # a window 0.3 s.
        free = next((each for each in browser.contexts if len(each.pages) == 1), None)
        self.context = free or browser.new_context(accept_downloads=True)
        if free is None:
            self.context.new_page()
        self.context.set_default_timeout(TIMEOUT)
        self.page = self.context.new_page()
        self.resize(width, height)
        scheme = "dark" if dark else "light"
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        self.errors: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(f"page error: {error}"))
        self.page.on("request", self._request)

    def _console(self, message: Any) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not MISSING_END_POINTS.search(url):
            self.errors.append(f"console: {message.text} {message.location}")

    def _request(self, request: Any) -> None:
        """Requests to other servers fail, as ``FLAGS`` of conftest.py say, and are errors here."""
        if not request.url.startswith((self.server, "data:", "blob:")):
            self.errors.append(f"request to {request.url}")

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.page.evaluate("() => { try { localStorage.clear() } catch {} }")
        self.page.close()
        self.context.clear_cookies()
        if error is None:
            assert not self.errors, self.errors

    def open(self, path: str = "") -> Visitor:
        """Open a page and wait until it shows its attack."""
        self.page.goto(f"{self.server}/{path}")
        self.page.wait_for_selector(".picture img[src]")
        return self.wait_until_idle()

    def resize(self, width: int, height: int = 900) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def resize_and_wait(self, width: int, height: int = 900) -> Visitor:
        """Resize the window, and wait until the sidebar has slid and all has its new place."""
        self.resize(width, height)
        self.page.evaluate(STILL)
        return self.wait_until_idle()

    def wait_until_idle(self) -> Visitor:
        """Wait until no script and no job is running."""
        self.page.wait_for_function(f"() => document.querySelector('{IDLE}') && !{PROGRESS}")
        self.page.wait_for_timeout(300)
        self.page.wait_for_selector(IDLE)
        assert self.page.locator('[data-testid="stException"]').count() == 0
        return self

    def text(self, selector: str) -> str:
        return str(self.page.locator(selector).first.inner_text())

    @property
    def outcome(self) -> str:
        return self.text(".mark")

    @property
    def names(self) -> list[str]:
        """The classifier's predictions for the three pictures of the first triptych."""
        return [str(text) for text in self.page.locator("figcaption .name").all_inner_texts()[:3]]

    def picture(self, index: int) -> np.ndarray:
        """A picture of the triptych, uint8 [H, W, 3].

        ``index`` is 0 for the original, 1 for the perturbation, 2 for the adversarial image.
        """
        source = self.page.locator(".picture img").nth(index).get_attribute("src")
        return decoded(source)

    def wait_for(self, script: str, argument: object) -> Visitor:
        """Wait until a JavaScript function is true of ``argument``, and then until idle."""
        self.page.wait_for_function(script, arg=argument)
        return self.wait_until_idle()


def decoded(uri: str) -> np.ndarray:
    """The pixels of a ``data:`` address, uint8 [H, W, 3]."""
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")
    )
