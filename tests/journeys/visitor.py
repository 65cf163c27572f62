"""A visitor: a browser window that notices every mistake of the page."""

from __future__ import annotations

import base64
import io
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image

IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
PATIENCE = 90_000  # milliseconds
# Opened at its own address, a page first asks for Streamlit's end points beside itself.
DEEP_LINK_MISSES = tuple(
    f"/{page}/_stcore/{end}"
    for page in ("attack", "datasets", "models")
    for end in ("health", "host-config")
)


class Visitor:
    """Opens pages of ``server``; on leaving, there must have been no error and no request to anywhere else."""

    def __init__(
        self, browser: Any, server: str, width: int = 1440, height: int = 900, dark: bool = False
    ) -> None:
        self.server = server
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.mistakes: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.mistakes.append(f"page error: {error}"))
        self.page.route("**/*", self._route)

    def _console(self, message: Any) -> None:
        if message.type == "error" and not message.location.get("url", "").endswith(
            DEEP_LINK_MISSES
        ):
            self.mistakes.append(f"console: {message.text} {message.location}")

    def _route(self, route: Any) -> None:
        if route.request.url.startswith((self.server, "data:", "blob:")):
            route.continue_()
        else:
            self.mistakes.append(f"request to {route.request.url}")
            route.abort()

    def __enter__(self) -> Visitor:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.context.close()
        if error is None:
            assert not self.mistakes, self.mistakes

    def open(self, path: str = "") -> Visitor:
        """Open a page and wait until it shows its attack."""
        self.page.goto(f"{self.server}/{path}")
        self.page.wait_for_selector(".picture img[src]")
        return self.settle()

    def settle(self) -> Visitor:
        """Wait until the page stands still and no attack runs."""
        self.page.wait_for_function(
            f"() => document.querySelector('{IDLE}') && !document.querySelector('[data-testid=\"stProgress\"]')"
        )
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
        """What the classifier says of the three pictures of the first triptych."""
        return [str(text) for text in self.page.locator("figcaption .name").all_inner_texts()[:3]]

    def picture(self, index: int) -> np.ndarray:
        """uint8 [H, W, 3] of a picture of the triptych: 0 original, 1 perturbation, 2 adversarial."""
        source = self.page.locator(".picture img").nth(index).get_attribute("src")
        return decoded(source)

    def until(self, script: str, argument: object) -> Visitor:
        """Wait until a function of the page and ``argument`` says true."""
        self.page.wait_for_function(script, arg=argument)
        return self.settle()


def decoded(uri: str) -> np.ndarray:
    return np.asarray(
        Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")
    )
