"""Journeys through the overview, in a real browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from tests.journeys.visitor import Visitor


def test_first_paint_shows_a_fooled_classifier(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open()
        assert visitor.outcome == "✗ fooled"
        original, _, adversarial = visitor.names
        assert original != adversarial
        for width in (1440, 390):
            visitor.resize_and_wait(width)
            boxes = [image.bounding_box() for image in visitor.page.locator(".picture img").all()]
            sizes = [(round(box["width"]), round(box["height"])) for box in boxes]
            assert all(len(set(sizes[i : i + 3])) == 1 for i in range(0, len(sizes), 3))
            assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
            assert boxes[0]["width"] >= 200


def test_the_overviews_attack_goes_along_to_the_attack_page(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open("attack?model=cifar10-standard&norm=L2&steps=3&restarts=2")
        visitor.page.get_by_role("link", name="Overview").first.click()
        visitor.page.wait_for_selector(".st-key-to_attack")
        names = visitor.wait_until_idle().names
        picture = visitor.picture(2)
        visitor.page.get_by_role("button", name="Attack an image yourself").click()
        visitor.page.wait_for_selector(".st-key-linf")
        visitor.wait_until_idle()
        assert visitor.text("h1") == "Attack an image"
        address = urlsplit(visitor.page.url)
        assert address.path == "/attack"
        assert dict(parse_qsl(address.query)) == {
            "model": "efficientnet_lite0",
            "linf": "1.785",
            "target": "gibbon",
        }
        visitor.open(visitor.page.url.removeprefix(f"{server}/"))
        assert visitor.names == names
        assert names[2] == "gibbon"
        np.testing.assert_array_equal(visitor.picture(2), picture)
