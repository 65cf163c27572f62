"""Journeys through the overview and the attack page, in a real browser."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.journeys.visitor import Visitor, decoded

CIFAR = "attack?model=cifar10-standard"
CHANGED = """before => {
  const app = document.querySelectorAll('[data-testid="stApp"] *')
  for (const host of app) {
    const image = host.shadowRoot && host.shadowRoot.querySelectorAll('.picture img')[2]
    if (image) return image.src !== before
  }
  return false
}"""
SLIDER_AT = """value => [...document.querySelectorAll('*')].some(
  element => element.shadowRoot?.querySelector('.slider')?.value === value
)"""


def adversarial_source(visitor: Visitor) -> str:
    return str(visitor.page.locator(".picture img").nth(2).get_attribute("src"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1440, 390])
def test_first_paint_shows_a_fooled_classifier(
    browser: Any, server: str, width: int, dark: bool
) -> None:
    with Visitor(browser, server, width=width, dark=dark) as visitor:
        visitor.open()
        assert visitor.outcome == "✗ fooled"
        original, _, adversarial = visitor.names
        assert original != adversarial
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


def test_a_picture_is_picked_by_its_thumbnail(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        before = adversarial_source(visitor.open(CIFAR))
        visitor.page.get_by_role("radio", name="ship 2").click()
        visitor.wait_for(CHANGED, before)
        assert (
            visitor.page.get_by_role("radio", name="ship 2").get_attribute("aria-checked") == "true"
        )
        assert "image=ship+2" in visitor.page.url


def test_the_scrubber_replays_the_attack(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open(f"{CIFAR}&linf=8&steps=10")
        canvas, slider = visitor.page.locator("canvas.frame"), visitor.page.locator(".slider")
        best = int(slider.input_value())
        assert f"Step {best} of 10 (best, kept)" in visitor.text(".says .step")
        np.testing.assert_array_equal(
            decoded(canvas.evaluate("c => c.toDataURL('image/png')")), visitor.picture(2)
        )
        slider.press("Home")
        assert "Step 0 of 10" in visitor.text(".says .step")
        start = decoded(canvas.evaluate("c => c.toDataURL('image/png')"))
        assert not np.array_equal(start, visitor.picture(2))
        assert np.abs(start.astype(int) - visitor.picture(0)).max() <= 8
        visitor.page.locator(".play").click()
        visitor.page.wait_for_function(SLIDER_AT, arg="10")


def download(visitor: Visitor, label: str) -> bytes:
    with visitor.page.expect_download() as started:
        visitor.page.get_by_role("button", name=label).click()
    return Path(started.value.path()).read_bytes()


def test_each_export_agrees_with_the_page(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open(f"{CIFAR}&linf=8&steps=10")
        pixels, names = visitor.picture(2), visitor.names
        confidences = visitor.page.locator("figcaption .confidence").all_inner_texts()

        np.testing.assert_array_equal(
            np.asarray(Image.open(io.BytesIO(download(visitor, "Adversarial image, PNG")))), pixels
        )
        exact = np.load(io.BytesIO(download(visitor, "Exact values, .npy")))
        np.testing.assert_array_equal(np.rint(exact * 255).transpose(1, 2, 0), pixels)

        rows = list(csv.DictReader(io.StringIO(download(visitor, "Trace, CSV").decode())))
        best = next(row for row in rows if row["kept"] == "true")
        assert best["predicted_name"] == names[2]
        recipe = json.loads(download(visitor, "Recipe, JSON"))
        assert (recipe["steps"], recipe["model"]) == (10, "cifar10-standard")

        texts = "".join(ElementTree.fromstring(download(visitor, "Triptych, SVG")).itertext())
        for word in (*names, *confidences):
            assert word in texts
        figure = Image.open(io.BytesIO(download(visitor, "Triptych, PNG")))
        assert figure.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert figure.width == 2100
        document = download(visitor, "Triptych, PDF")
        assert document.startswith(b"%PDF")
        assert document.rstrip().endswith(b"%%EOF")


def test_the_link_restores_the_page(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        visitor.open(f"{CIFAR}&norm=L2&l2=1.25&steps=12&target=frog&seed=3&image=ship+2")
        link = visitor.page.locator('[data-testid="stCode"]').first.inner_text().strip()
        verdict, picture = visitor.text(".sentence"), visitor.picture(2)
    assert link.startswith(f"{server}/attack?")
    with Visitor(browser, server) as visitor:
        visitor.open(link.removeprefix(f"{server}/"))
        assert visitor.text(".sentence") == verdict
        np.testing.assert_array_equal(visitor.picture(2), picture)


def test_presets_move_the_controls(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        before = adversarial_source(visitor.open(CIFAR))
        visitor.page.get_by_role("button", name="the panda's ε = 0.007").click()
        visitor.wait_for(CHANGED, before)
        assert visitor.text(".operator") == "+ 1.785/255 ×"
        assert visitor.page.locator(".st-key-steps").count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_cut_off_on_a_phone(browser: Any, server: str, dark: bool) -> None:
    with Visitor(browser, server, width=390, height=844, dark=dark) as visitor:
        visitor.open("attack")
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
