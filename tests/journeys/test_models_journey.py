"""Journeys through the page of the classifiers, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.journeys.visitor import Visitor

OVERFLOW = """() => {
  const main = document.querySelector('[data-testid=stMain]')
  return main.scrollWidth - main.clientWidth
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_the_models_page_fits_the_screen(browser: Any, imagenet_server: str, width: int) -> None:
    with Visitor(browser, imagenet_server, width=width) as visitor:
        visitor.page.goto(f"{imagenet_server}/models")
        visitor.page.get_by_text("In memory").wait_for()
        visitor.wait_until_idle()
        for tab in ("ImageNet classifiers to download", "Add your own", "On this machine"):
            visitor.page.get_by_role("tab", name=tab).click()
            visitor.page.wait_for_timeout(200)
            assert visitor.page.evaluate(OVERFLOW) <= 0


def test_a_classifier_is_added_and_attacked(
    browser: Any, imagenet_server: str, tmp_path: Path
) -> None:
    from torchvision.models import mobilenet_v3_small

    torch.manual_seed(0)
    save_file(
        mobilenet_v3_small(weights=None, num_classes=2).state_dict(), tmp_path / "mine.safetensors"
    )
    (tmp_path / "labels.txt").write_text("ant\nbee\n")
    with Visitor(browser, imagenet_server) as visitor:
        page = visitor.page
        page.goto(f"{imagenet_server}/models")
        page.get_by_role("tab", name="Add your own").click()
        page.get_by_label("Name", exact=True).fill("journey")
        page.locator(".st-key-new-architecture input").fill("mobilenet_v3_small")
        page.get_by_role("option", name="mobilenet_v3_small").click()
        page.locator(".st-key-new-weights input[type=file]").set_input_files(
            tmp_path / "mine.safetensors"
        )
        page.locator(".st-key-new-labels input[type=file]").set_input_files(tmp_path / "labels.txt")
        page.get_by_text("labels.txt").wait_for()
        page.get_by_text("mine.safetensors").wait_for()
        page.get_by_role("button", name="Add this classifier").click()
        page.get_by_text("Added journey").wait_for()
        visitor.wait_until_idle()
        page.locator(".st-key-use-new-model button").click()
        page.wait_for_selector(".picture img[src]")
        visitor.wait_until_idle()
        assert set(visitor.names) <= {"ant", "bee"}
