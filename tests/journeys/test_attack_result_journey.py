"""Journeys through the result of an attack, in a real browser: its steps, its files, its link."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from tests.journeys.visitor import Visitor, decoded

CIFAR = "attack?model=cifar10-standard"
SLIDER_AT = """value => [...document.querySelectorAll('*')].some(
  element => element.shadowRoot?.querySelector('.slider')?.value === value
)"""


@pytest.fixture(scope="module")
def visitor(browser: Any, server: str) -> Iterator[Visitor]:
    """A visitor of one attack, whose result all tests look at."""
    with Visitor(browser, server) as visitor:
        yield visitor.open(f"{CIFAR}&linf=8&steps=10")


def test_the_scrubber_replays_the_attack(visitor: Visitor) -> None:
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


def test_each_export_agrees_with_the_page(visitor: Visitor) -> None:
    pixels, names = visitor.picture(2), visitor.names
    confidences = visitor.page.locator("figcaption .confidence").all_inner_texts()

    np.testing.assert_array_equal(
        np.asarray(Image.open(io.BytesIO(download(visitor, "Adversarial image, PNG")))), pixels
    )
    exact = np.load(io.BytesIO(download(visitor, "Exact values, .npy")))
    np.testing.assert_array_equal(np.rint(exact * 255).transpose(1, 2, 0), pixels)

    rows = list(csv.DictReader(io.StringIO(download(visitor, "Each step, CSV").decode())))
    best = next(row for row in rows if row["kept"] == "true")
    assert best["predicted_name"] == names[2]
    recipe = json.loads(download(visitor, "Recipe, JSON"))
    assert (recipe["steps"], recipe["model"]) == (10, "cifar10-standard")

    texts = "".join(ElementTree.fromstring(download(visitor, "Figure, SVG")).itertext())
    for word in (*names, *confidences):
        assert word.replace("\xa0", " ") in texts
    figure = Image.open(io.BytesIO(download(visitor, "Figure, PNG")))
    assert figure.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert figure.width == 2100
    document = download(visitor, "Figure, PDF")
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
