"""The overview, without a browser."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.app import component, open_page, outcome, pixels
from tests.ui.user_model import SOURCE


def test_the_first_picture_has_already_fooled_a_classifier() -> None:
    at = open_page()
    data = component(at, "triptych")
    assert outcome(at) == "fooled"
    original, _, adversarial = data["pictures"]
    assert original["name"] != adversarial["name"]
    assert original["name"] in data["verdict"]
    assert adversarial["name"] in data["verdict"]


def test_the_change_is_within_the_stated_distance() -> None:
    at = open_page()
    difference = abs(pixels(at, 0).astype(int) - pixels(at, 2).astype(int))
    assert 0 < difference.max() <= 5
    assert component(at, "triptych")["measures"][0][:2] == ["L∞", "5/255"]


def test_a_robust_classifier_gets_the_same_attack() -> None:
    at = open_page()
    first, second = [
        at.session_state[key].report.recipe
        for key in ("result overview", "result overview tiny12-robust")
    ]
    assert (second.image, second.norm, second.epsilon, second.steps) == (
        first.image,
        first.norm,
        first.epsilon,
        first.steps,
    )
    assert second.model == "tiny12-robust"
    assert first.model == "tiny12-standard"


@pytest.mark.parametrize(
    ("button", "title"),
    [("to_attack", "Attack an image"), ("to_datasets", "Robust and non-robust data")],
)
def test_the_buttons_lead_to_the_other_pages(button: str, title: str) -> None:
    at = open_page()
    at.button(key=button).click().run()
    assert not at.exception
    assert [element.value for element in at.title] == [title]


def crash() -> NoReturn:
    raise RuntimeError


def test_a_crash_is_called_a_bug_and_keeps_the_last_result(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    at = open_page()
    before = pixels(at, 2)
    monkeypatch.setattr("explorer.ui.overview.page.landing_examples", crash)
    with caplog.at_level(logging.ERROR, "explorer"):
        at.run()
    assert re.search(r"This is a bug.* under ([0-9a-f]{8})", at.error[0].value)[1] in caplog.text
    np.testing.assert_array_equal(pixels(at, 2), before)
    assert at.button(key="to_attack")
    assert not at.exception


def open_with_user_model(path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The overview on a machine whose only classifier is a person's own."""
    path.write_text(SOURCE)
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:make")
    monkeypatch.setattr("explorer.ui.shared.classifiers.catalogue", lambda **options: ())
    return open_page()


def test_a_module_that_flattens_with_view_is_attacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = open_with_user_model(tmp_path / "lenet.py", monkeypatch)
    assert not at.error
    assert at.session_state["result overview"].report.recipe.model.endswith("lenet.py:make")
    assert pixels(at, 2).shape == (32, 32, 3)
