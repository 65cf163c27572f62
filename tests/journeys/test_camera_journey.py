"""Journeys with a camera, in a real browser that has one or does not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from tests.journeys.visitor import Visitor

PRESSES = 20
BETWEEN_PRESSES = 3_000  # milliseconds
CHANGED = """before => {
  const plates = [...document.querySelectorAll('*')].map(each => each.shadowRoot)
  const image = plates.map(root => root?.querySelector('.picture img')).find(each => each)
  return image && image.src !== before
}"""


def choose_camera(visitor: Visitor) -> None:
    visitor.open("attack?model=cifar10-standard&linf=8")
    visitor.page.locator(".st-key-source").get_by_text("camera").click()
    visitor.page.wait_for_selector(".st-key-camera")
    visitor.wait_until_idle()


def take_photo(visitor: Visitor) -> None:
    """Press the button until there is a photo, as a person does.

    Streamlit starts the camera a second time when it knows the width of its box, about a second
    after the first. The button can be pressed between the two, when there is nothing to take.
    """
    from playwright.sync_api import TimeoutError as NotReached  # where there is a browser

    clear = visitor.page.get_by_role("button", name="Clear photo")
    take = visitor.page.get_by_role("button", name="Take Photo")
    for _ in range(PRESSES):
        with suppress(NotReached):
            take.click(timeout=BETWEEN_PRESSES)
            return clear.wait_for(timeout=BETWEEN_PRESSES)
    raise AssertionError("the camera takes no photo")


def test_what_the_camera_sees_is_attacked(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        choose_camera(visitor)
        before = visitor.page.locator(".picture img").first.get_attribute("src")
        take_photo(visitor)
        visitor.wait_for(CHANGED, before)
        seen, adversarial = visitor.picture(0).astype(int), visitor.picture(2).astype(int)
        assert seen.std() > 10  # the pattern, not a black picture
        assert 0 < np.abs(adversarial - seen).max() <= 8


def test_without_a_camera_the_page_says_so_and_keeps_its_result(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.page.add_init_script(
            "navigator.mediaDevices.getUserMedia = () => Promise.reject("
            "new DOMException('Requested device not found', 'NotFoundError'))"
        )
        choose_camera(visitor)
        widget = visitor.text(".st-key-camera")
        assert "camera" in widget.lower()
        assert len(visitor.names) == 3
