"""The overview, without a browser."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.classifiers import packaged
from explorer.classifiers.packaged import EFFICIENTNET
from explorer.experiments.effort import QUICK_STEPS
from explorer.experiments.one_image.report import AttackReport
from explorer.ui.overview import landing_example
from tests.ui.app import ATTACK, component, open_page, outcome, pixels, wait_until_idle
from tests.ui.app import shown as shown_text
from tests.ui.user_model import SOURCE


def report(at: AppTest, place: str = "overview") -> AttackReport:
    return at.session_state[f"result {place}"].report


def test_the_panda_becomes_a_gibbon() -> None:
    at = open_page()
    data = component(at, "triptych")
    assert outcome(at) == "fooled"
    original, _, adversarial = data["pictures"]
    assert (original["name"], adversarial["name"]) == ("giant panda", "gibbon")
    assert report(at).recipe.model == EFFICIENTNET
    assert report(at).recipe.steps == QUICK_STEPS
    assert report(at).after.confidence > 0.9
    assert original["name"] in data["verdict"]
    assert adversarial["name"] in data["verdict"]
    assert any("target: gibbon" in text.value for text in at.markdown)


def test_the_change_is_within_the_stated_distance() -> None:
    at = open_page()
    difference = abs(pixels(at, 0).astype(int) - pixels(at, 2).astype(int))
    assert 0 < difference.max() <= 2  # 1.785 levels, in 8 bits
    assert component(at, "triptych")["measures"][0][:2] == ["L∞", "1.785/255"]
    assert report(at).linf <= 0.007 + 1e-6


def answer(at: AppTest, stop: str, choice: str) -> AppTest:
    """Choose an answer to the question of a stop, and wait for what it shows."""
    (question,) = (item for item in at.get("button_group") if item.key == f"tour_answer_{stop}")
    question.set_value(choice)
    return wait_until_idle(at.run())


def test_one_step_is_shown_once_it_was_guessed_beside_the_papers_numbers() -> None:
    at = open_page()
    assert "result overview one step" not in at.session_state
    assert not any("Goodfellow" in text.value for text in at.markdown)
    at = answer(at, "panda", "gibbon")
    one_step, first = report(at, "overview one step"), report(at)
    assert one_step.recipe.is_fgsm
    assert one_step.target is None
    assert one_step.recipe.epsilon == first.recipe.epsilon
    assert torch.equal(one_step.original, first.original)
    shown = [
        json.loads(item.proto.json)[0]["pictures"][2]["name"]
        for item in at.get("bidi_component")
        if item.proto.component_name == "explorer.triptych"
    ]
    assert shown == [first.after.name, one_step.after.name] == ["gibbon", "teddy"]
    (text,) = (shown_text(each.value) for each in at.markdown if "Goodfellow" in each.value)
    assert text.startswith("✗ **No.**")
    assert all(
        number in text
        for number in ("57.7 %", "8.2 %", "99.3 %", "GoogLeNet", "ε = 1.785/255 (0.007)")
    )
    at = answer(at, "panda", "something else")
    assert any(text.value.startswith("✓ **Right.**") for text in at.markdown)


def test_what_is_shown_is_what_the_classifier_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an ε that is too small nothing is called a gibbon."""
    monkeypatch.setattr(landing_example, "LEVELS", 0.01)
    at = open_page()
    assert outcome(at) == "held"
    names = [picture["name"] for picture in component(at, "triptych")["pictures"]]
    assert names[::2] == ["giant panda", "giant panda"]


def test_without_the_package_a_sample_of_a_small_classifier_is_attacked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packaged, "find_spec", lambda name: None)
    at = open_page()
    assert outcome(at) == "fooled"
    assert report(at).recipe.model == "tiny12-standard"
    at = answer(at, "panda", "Show me")
    assert report(at, "overview one step").recipe.image == report(at).recipe.image
    assert not any("Goodfellow" in each.value for each in at.markdown)


def test_the_attack_page_continues_with_the_same_attack() -> None:
    at = open_page()
    before = report(at)
    at.button(key="to_attack").click().run()
    wait_until_idle(at)
    assert [element.value for element in at.title] == ["Attack an image"]
    assert report(at, "attack").recipe == before.recipe
    assert outcome(at) == "fooled"
    values = {item.key: item.value for item in (*at.sidebar.selectbox, *at.sidebar.slider)}
    assert (values["model"], values["image"], values["target"], values["linf"]) == (
        EFFICIENTNET,
        "giant panda",
        "gibbon",
        1.785,
    )


def test_the_same_attack_again_after_another_one() -> None:
    """What was chosen on the attack page before does not stay there."""
    at = open_page(ATTACK, model="cifar10-standard", linf="8", norm="L2", seed="7", restarts="2")
    at.switch_page("../pages/overview.py").run()
    at = wait_until_idle(at)
    at.button(key="to_attack").click().run()
    wait_until_idle(at)
    assert report(at, "attack").recipe == report(at).recipe


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
    monkeypatch.setattr("explorer.ui.overview.panda_stop.landing_examples", crash)
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
