"""What the attack page does when something goes wrong: it says so and keeps the last result."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import NoReturn

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import UserError
from tests.ui.app import ATTACK, choose, component, open_page, pixels

BUG = re.compile(r"This is a bug.* under ([0-9a-f]{8})\.")


@pytest.fixture(scope="module")
def opened_page() -> AppTest:
    return open_page(ATTACK, model="cifar10-standard", linf="8", steps="5")


@pytest.fixture
def page(opened_page: AppTest, caplog: pytest.LogCaptureFixture) -> Iterator[AppTest]:
    """The attack page with a result, and the log of errors from then on."""
    opened_page.run()
    with caplog.at_level(logging.ERROR, "explorer"):
        yield opened_page


def crash(*arguments: object, **options: object) -> NoReturn:
    raise RuntimeError("{}day.png".format("holi"))


def refuse(*arguments: object, **options: object) -> NoReturn:
    raise UserError("the file is gone; choose another classifier")


def assert_is_a_reported_bug(at: AppTest, log: str) -> None:
    (error,) = at.error
    assert BUG.search(error.value)[1] in log
    assert "in crash" in log  # the traceback
    assert "holiday" not in log + error.value
    assert not at.exception


def test_an_attack_that_crashes_keeps_the_last_result(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    before, link = pixels(page, 2), page.code[0].value
    assert "linf=8" in link
    monkeypatch.setattr("explorer.ui.shared.attack_request.attack_image", crash)
    choose(page, "slider", "linf", 3.5)
    assert_is_a_reported_bug(page, caplog.text)
    assert any("last result" in caption.value for caption in page.caption)
    np.testing.assert_array_equal(pixels(page, 2), before)
    assert page.code[0].value == link
    monkeypatch.undo()
    choose(page, "slider", "linf", 3.25)
    assert not page.error
    assert "linf=3.25" in page.code[0].value
    assert component(page, "triptych")["operators"][0] == "+ 3.25/255 ×"


@pytest.mark.parametrize("function", ["choose_attack", "run_attack", "load_for_page"])
def test_a_page_that_crashes_keeps_the_last_result(
    page: AppTest,
    function: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = pixels(page, 2)
    monkeypatch.setattr(f"explorer.ui.attack.page.{function}", crash)
    page.run()
    assert_is_a_reported_bug(page, caplog.text)
    np.testing.assert_array_equal(pixels(page, 2), before)


@pytest.mark.parametrize("function", ["scrubber", "notices", "exports", "full_resolution"])
def test_a_part_that_crashes_leaves_the_other_parts(
    page: AppTest,
    function: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(f"explorer.ui.attack.page.{function}", crash)
    page.run()
    assert_is_a_reported_bug(page, caplog.text)
    assert component(page, "triptych")
    assert len(page.get("plotly_chart")) == 1


def test_a_mistake_of_the_person_is_one_sentence(
    page: AppTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("explorer.ui.attack.page.load_for_page", refuse)
    page.run()
    assert [error.value for error in page.error] == ["The file is gone; choose another classifier."]
    assert component(page, "triptych")
    assert not caplog.text


def test_no_classifier_at_all_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.attack.page.entries", dict)
    monkeypatch.setattr("explorer.ui.overview.landing_example.entries", dict)
    at = open_page(ATTACK)
    (error,) = at.error
    assert "no classifier" in error.value
