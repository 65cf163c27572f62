"""Journeys through the controls of the attack page, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.journeys.visitor import Visitor

CIFAR = "attack?model=cifar10-standard"
CHANGED = """before => {
  const app = document.querySelectorAll('[data-testid="stApp"] *')
  for (const host of app) {
    const image = host.shadowRoot && host.shadowRoot.querySelectorAll('.picture img')[2]
    if (image) return image.src !== before
  }
  return false
}"""

MENU_IS_CLOSED = """() =>
  document.querySelector('[data-testid=stSidebar]').getBoundingClientRect().right <= 0"""


def adversarial_source(visitor: Visitor) -> str:
    return str(visitor.page.locator(".picture img").nth(2).get_attribute("src"))


def test_dragging_epsilon_changes_the_picture_and_the_label(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open(f"{CIFAR}&linf=0.25")
        assert visitor.outcome == "✓ held"
        label, picture, before = visitor.names[2], visitor.picture(2), adversarial_source(visitor)
        slider = visitor.page.locator(".st-key-linf [role=group]")
        thumb, track = slider.locator("[data-rac] [data-rac]").bounding_box(), slider.bounding_box()
        middle = thumb["y"] + thumb["height"] / 2
        visitor.page.mouse.move(thumb["x"] + thumb["width"] / 2, middle)
        visitor.page.mouse.down()
        visitor.page.mouse.move(track["x"] + track["width"] / 2, middle, steps=8)
        visitor.page.mouse.up()
        visitor.wait_for(CHANGED, before)
        assert visitor.outcome == "✗ fooled"
        assert visitor.names[2] != label
        assert np.abs(visitor.picture(2).astype(int) - picture).max() > 4
        assert "linf=" in visitor.page.url


def test_an_upload_is_attacked(browser: Any, server: str, tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 32).astype(np.uint8)
    pixels = np.stack(
        [np.tile(ramp, (32, 1)), np.tile(ramp[:, None], (1, 32)), np.full((32, 32), 90, np.uint8)],
        2,
    )
    Image.fromarray(pixels).save(tmp_path / "ramp.png")
    (tmp_path / "fake.png").write_bytes(b"MZ this is no picture")
    with Visitor(browser, server) as visitor:
        visitor.open(f"{CIFAR}&linf=8")
        visitor.page.locator(".st-key-source").get_by_text("upload").click()
        before = adversarial_source(visitor.wait_until_idle())
        visitor.page.locator('.st-key-upload input[type="file"]').set_input_files(
            tmp_path / "ramp.png"
        )
        visitor.wait_for(CHANGED, before)
        np.testing.assert_array_equal(visitor.picture(0), pixels)
        change = np.abs(visitor.picture(2).astype(int) - pixels)
        assert 0 < change.max() <= 8
        visitor.page.locator('.st-key-upload input[type="file"]').set_input_files(
            tmp_path / "fake.png"
        )
        visitor.page.wait_for_selector('[data-testid="stAlert"]')
        assert "fake.png is not a picture" in visitor.text('[data-testid="stAlert"]')
        np.testing.assert_array_equal(visitor.wait_until_idle().picture(0), pixels)


def test_a_thumbnail_picks_a_picture_and_a_preset_moves_the_controls(
    browser: Any, server: str
) -> None:
    with Visitor(browser, server) as visitor:
        before = adversarial_source(visitor.open(CIFAR))
        thumbnail = visitor.page.get_by_role("radio", name="ship 2")
        thumbnail.click()
        visitor.wait_for(CHANGED, before)
        assert thumbnail.get_attribute("aria-checked") == "true"
        assert "image=ship+2" in visitor.page.url
        before = adversarial_source(visitor)
        visitor.page.get_by_role("button", name="the panda's ε = 0.007").click()
        visitor.wait_for(CHANGED, before)
        assert visitor.text(".operator") == "+ 1.785/255\N{NO-BREAK SPACE}×"
        assert visitor.page.locator(".st-key-steps").count() == 0


@pytest.fixture(scope="module")
def phone(browser: Any, server: str) -> Iterator[Visitor]:
    """A visitor with a phone, whose page the two tests below use in turn."""
    with Visitor(browser, server, width=390, height=844, dark=True) as visitor:
        yield visitor.open("attack")


def test_nothing_is_cut_off_on_a_phone(phone: Visitor) -> None:
    visitor = phone
    overflow = visitor.page.evaluate(
        "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow <= 0
    for element in visitor.page.locator(
        ".picture img, .operator, figcaption, .verdict, .slider, .chart svg"
    ).all():
        box = element.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    # A browser's own bars leave less of a phone's height. Verdict, picture and ε are in view.
    page = visitor.page
    visitor.resize_and_wait(390, 664)
    for part in (".verdict", ".picture:visible", ".live .reading", ".live .track"):
        box = page.locator(part).first.bounding_box()
        assert 0 <= box["y"] < box["y"] + box["height"] <= 664, part


def test_the_menu_of_pages_closes_on_a_phone(phone: Visitor) -> None:
    page = phone.page
    page.locator('[data-testid="stExpandSidebarButton"]').click()
    page.locator('[data-testid="stSidebarNavLink"]', has_text="Gaussians").click()
    page.wait_for_selector("h1:has-text('Gaussians')")
    page.wait_for_function(MENU_IS_CLOSED)
