"""Journeys with a visitor's own network, whose weights are uploaded in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from tests.journeys.visitor import Visitor
from tests.sessions.server import SHORT_LADDERS, running

BOXES_IN_VIEW = """selector => [...document.querySelectorAll(selector)].every(element => {
  const box = element.getBoundingClientRect()
  return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight
})"""
OUTCOME = '[data-testid="stAlert"]'
RELEASED = 10.0  # seconds that the end of a session may take


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of a network of two classes, in a folder that has the architecture's name."""
    path = tmp_path_factory.mktemp("small") / "mobilenet_v3_small" / "weights.pth"
    path.parent.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = models.get_model(path.parent.name, weights=None, num_classes=2)
        torch.save(network.state_dict(), path)
    path.with_name("labels.txt").write_text("ant\nbee\n")
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("public") / "cache"


@pytest.fixture(scope="module")
def public_server(cache: Path) -> Iterator[str]:
    """A public server that takes files of up to 20 MB."""
    settings = {"EXPLORER_MODE": "public", "EXPLORER_CACHE": str(cache)}
    settings["STREAMLIT_SERVER_MAX_UPLOAD_SIZE"] = "20"
    with running(cache.parent / "log.txt", SHORT_LADDERS, **settings) as app:
        yield app.address


def open_form(visitor: Visitor) -> Any:
    visitor.page.goto(f"{visitor.server}/models")
    visitor.page.get_by_role("tab", name="Add your own").click()
    visitor.page.locator(".st-key-new-weights").wait_for()
    visitor.wait_until_idle()
    return visitor.page


def add(visitor: Visitor, weights: Path) -> None:
    """Fill the form in, wrongly first; each outcome is in view when the button was pressed."""
    page = open_form(visitor)
    page.get_by_label("Name", exact=True).fill("mine")
    button = page.get_by_role("button", name="Add this classifier")
    button.click()
    page.get_by_text("Choose the architecture").wait_for()
    visitor.wait_until_idle()
    assert page.evaluate(BOXES_IN_VIEW, OUTCOME)
    architecture = page.locator(".st-key-new-architecture input")
    architecture.scroll_into_view_if_needed()
    page.wait_for_timeout(500)  # a menu closes when the page scrolls under it
    architecture.fill(weights.parent.name)
    page.get_by_role("option", name=weights.parent.name, exact=True).click()
    visitor.wait_until_idle()  # a file that comes while the form is drawn anew would be lost
    page.locator(".st-key-new-weights input[type=file]").set_input_files(weights)
    page.locator(".st-key-new-weights").get_by_text(weights.name).wait_for()
    labels = weights.with_name("labels.txt")
    page.locator(".st-key-new-labels input[type=file]").set_input_files(labels)
    page.locator(".st-key-new-labels").get_by_text(labels.name).wait_for()
    button.click()
    page.get_by_text("Added mine").wait_for()
    visitor.wait_until_idle()
    assert page.evaluate(BOXES_IN_VIEW, f"{OUTCOME}, .st-key-use-new-model button")


def attack(visitor: Visitor) -> None:
    visitor.page.locator(".st-key-use-new-model button").click()
    visitor.page.wait_for_selector(".picture img[src]")
    visitor.wait_until_idle()
    assert visitor.page.url == f"{visitor.server}/attack?model=user%3Amine"
    assert len(visitor.names) == 3


def test_a_model_of_this_machine_is_uploaded_attacked_kept_and_removed(
    browser: Any, server: str, weights: Path
) -> None:
    with Visitor(browser, server, width=390, height=844) as visitor:
        add(visitor, weights)
        attack(visitor)
        names = visitor.names
        assert set(names) <= {"ant", "bee"}
        visitor.page.reload()
        visitor.page.wait_for_selector(".picture img[src]")
        visitor.wait_until_idle()
        assert visitor.page.url == f"{server}/attack?model=user%3Amine"
        assert visitor.names == names
        visitor.page.goto(f"{server}/models")
        visitor.page.locator(".st-key-ask-user-mine button").click()
        visitor.page.get_by_role("button", name="Remove mine").dblclick()
        visitor.page.get_by_text("Removed mine.").wait_for()
        visitor.wait_until_idle()
        assert visitor.page.locator(".st-key-use-user-mine").count() == 0


def test_a_model_of_a_visitor_is_nobody_elses_and_goes_with_the_page(
    browser: Any, public_server: str, weights: Path, cache: Path
) -> None:
    def stored() -> list[Path]:
        return list(cache.rglob("*.safetensors"))

    with Visitor(browser, public_server, width=1024, height=768) as visitor:
        add(visitor, weights)
        attack(visitor)
        assert len(stored()) == 1
        with Visitor(browser, public_server) as other:
            other.open("attack?model=user:mine")
            assert "mine, which is not here" in other.text(OUTCOME)
            other.page.goto(f"{public_server}/models")
            other.page.get_by_text("In memory").wait_for()
            other.wait_until_idle()
            assert other.page.locator("[class*=user-mine]").count() == 0
            assert other.page.get_by_text("mine", exact=True).count() == 0
        assert len(stored()) == 1
        visitor.page.goto("about:blank")
        for _ in range(int(RELEASED / 0.1)):
            if not stored():
                break
            visitor.page.wait_for_timeout(100)
        assert stored() == []


def test_a_lower_limit_of_the_server_is_said_before_and_holds(
    browser: Any, public_server: str, tmp_path: Path
) -> None:
    large = tmp_path / "weights.pth"
    large.write_bytes(bytes(21_000_000))
    with Visitor(browser, public_server) as visitor:
        page = open_form(visitor)
        page.get_by_text("Weights as safetensors, or as torch saves them (up to 20 MB)").wait_for()
        page.locator(".st-key-new-weights input[type=file]").set_input_files(large)
        page.get_by_text("20MB or smaller").or_(page.get_by_text("20.0MB or smaller")).wait_for()
