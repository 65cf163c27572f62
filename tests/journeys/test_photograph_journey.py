"""Journeys with photographs, in a real browser: the panda, the crop, a classifier that is added."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from tests.journeys.visitor import Visitor

ADDRESS = "part => location.href.includes(part)"
OVERFLOW = """() => {
  const main = document.querySelector('[data-testid=stMain]')
  return main.scrollWidth - main.clientWidth
}"""
CHANGED = """before => {
  const plates = [...document.querySelectorAll('*')].map(each => each.shadowRoot)
  const image = plates.map(root => root?.querySelector('.picture img')).find(each => each)
  return image && image.src !== before
}"""
PANDA = "attack?model=torchvision:squeezenet1_1&image=giant+panda&linf=1.785&steps=10"


def test_the_panda_preset_shows_fgsm_above_pgd(browser: Any, imagenet_server: str) -> None:
    with Visitor(browser, imagenet_server) as visitor:
        visitor.open("attack?model=cifar10-standard")
        visitor.page.get_by_role("button", name="panda → gibbon").click()
        visitor.page.get_by_text("FGSM: one full step").wait_for()
        visitor.wait_until_idle()
        names = visitor.page.locator("figcaption .name").all_inner_texts()
        assert (names[0], names[3]) == ("giant panda", "giant panda")
        assert names[5] == "gibbon"
        boxes = [image.bounding_box() for image in visitor.page.locator(".picture img").all()]
        assert [box["x"] for box in boxes[:3]] == [box["x"] for box in boxes[3:6]]


def choose_camera(visitor: Visitor) -> None:
    visitor.open("attack?model=cifar10-standard&linf=8")
    visitor.page.locator(".st-key-source").get_by_text("camera").click()
    visitor.page.wait_for_selector(".st-key-camera")
    visitor.wait_until_idle()


def test_what_the_camera_sees_is_attacked(browser: Any, server: str) -> None:
    with Visitor(browser, server) as visitor:
        choose_camera(visitor)
        before = visitor.page.locator(".picture img").first.get_attribute("src")
        visitor.page.get_by_role("button", name="Take Photo").click()
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


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_the_probability_beside_the_longest_bar_is_whole(
    browser: Any, server: str, width: int
) -> None:
    with Visitor(browser, server, width=width) as visitor:
        visitor.open("attack?model=efficientnet_lite0&linf=1.785&target=gibbon")
        chart = visitor.page.locator(".st-key-bars")
        chart.locator(".bartext").first.wait_for()
        box = chart.bounding_box()
        labels = [each.bounding_box() for each in chart.locator(".bartext").all()]
        assert len(labels) == 10
        assert max(each["x"] + each["width"] for each in labels) <= box["x"] + box["width"]
        assert "100.0 %" in chart.locator(".bartext").all_text_contents()


def test_the_crop_is_dragged(browser: Any, imagenet_server: str) -> None:
    with Visitor(browser, imagenet_server) as visitor:
        visitor.open(PANDA)
        before = visitor.picture(0)
        visitor.page.get_by_text("What the classifier sees").click()
        box = visitor.page.locator(".box")
        box.wait_for()
        visitor.page.wait_for_timeout(700)  # the expander opens
        bounds = box.bounding_box()
        x, y = bounds["x"] + bounds["width"] / 2, bounds["y"] + bounds["height"] / 2
        visitor.page.mouse.move(x, y)
        visitor.page.mouse.down()
        visitor.page.mouse.move(x - 60, y, steps=6)
        visitor.page.mouse.up()
        visitor.wait_for(ADDRESS, "crop_x=0")
        after = visitor.picture(0)
        assert np.abs(after.astype(int) - before).mean() > 5
        # The picture moves to the right by as many pixels as the crop moves to the left.
        shift = next(d for d in range(1, 120) if np.array_equal(after[:, d:], before[:, :-d]))
        assert 10 < shift <= 48
        box.press("ArrowRight")
        visitor.wait_for(ADDRESS, "crop_x=0.05")


def test_the_whole_photograph_is_attacked_and_downloaded(
    browser: Any, imagenet_server: str
) -> None:
    with Visitor(browser, imagenet_server) as visitor:
        visitor.open(f"{PANDA}&target=gibbon")
        visitor.page.get_by_text("Apply the change to the full-size photograph").click()
        visitor.page.get_by_text("still fools").wait_for()
        visitor.wait_until_idle()
        with visitor.page.expect_download() as download:
            visitor.page.get_by_role("button", name="Whole photograph, PNG").click()
        whole = Image.open(io.BytesIO(Path(download.value.path()).read_bytes()))
        assert whole.size == (640, 512)


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
