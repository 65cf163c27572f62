"""The foot of a page: whose address has a QR code, what the code holds, and the large type."""

from __future__ import annotations

import io

import numpy as np
import pytest
import segno
from PIL import Image

from explorer.ui.shared.page_foot import can_be_opened_elsewhere, qr_code
from tests.ui.app import open_page

GAUSSIANS = "../pages/gaussians.py"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, False),
        ("", False),
        ("http://localhost:8501/attack", False),
        ("http://127.0.0.1:8501/", False),
        ("http://[::1]:8501/", False),
        ("http://192.168.0.7:8501/attack?model=x", True),
        ("https://explorer.example.org/attack", True),
    ],
)
def test_an_address_of_this_machine_alone_has_no_code(url: str | None, expected: bool) -> None:
    assert can_be_opened_elsewhere(url) is expected


def test_the_code_is_that_of_the_text_with_a_margin() -> None:
    text = "http://192.168.0.7:8501/attack?model=cifar10-robust&linf=8.0"
    pixels = np.asarray(Image.open(io.BytesIO(qr_code(text))).convert("L")) > 127
    code = np.array([[bool(module) for module in row] for row in segno.make(text).matrix])
    scale = len(pixels) // (len(code) + 8)
    modules = pixels[scale // 2 :: scale, scale // 2 :: scale]
    assert modules[:4].all()
    assert (modules[4:-4, 4:-4] == ~code).all()


def test_the_switch_makes_the_letters_of_other_pages_large_too() -> None:
    at = open_page(GAUSSIANS)
    assert not any("font-size: clamp" in item.proto.body for item in at.get("html"))
    (switch,) = [item for item in at.toggle if item.key == "large"]
    switch.set_value(True)
    at.run()
    assert any("font-size: clamp" in item.proto.body for item in at.get("html"))
