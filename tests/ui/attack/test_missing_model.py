"""A link to a classifier that is not here: the page says so, and what it shows instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.planted import plant_functions
from tests.ui.app import ATTACK, choose, open_page, shown

INSTEAD = "Instead, this page attacks the classifier “12 everyday classes, standard”."


@pytest.mark.parametrize(
    ("mode", "name", "words"),
    [
        ("local", "user:gone", "was removed from this machine or never added. Add it on the"),
        ("public", "user:gone", "is not here: a visitor's own model is only there for that"),
        ("local", "torchvision:resnet50", "not on this machine yet. Download it on the Models"),
        ("public", "torchvision:resnet50", "this server does not have. Ask those who run it"),
        ("local", "torchvision:alexnet", "this page does not offer. Choose another one."),
        ("local", "cifar10-standrad", "does not exist. Did you mean cifar10-standard?"),
        ("local", "nonsense", "does not exist. Choose another one."),
    ],
)
def test_a_link_to_a_classifier_that_is_not_here_says_so(
    mode: str, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", mode)
    at = open_page(ATTACK, model=name)
    (warning,) = at.warning
    text = shown(warning.value).replace("**", "")
    title = name.removeprefix("user:")
    assert text.startswith(f"The link asks for the classifier {title}, which ")
    assert words in text
    assert text.endswith(INSTEAD)
    assert at.session_state["result attack"].report.recipe.model == "tiny12-standard"


def test_the_sentence_stays_until_another_classifier_is_chosen() -> None:
    at = open_page(ATTACK, model="user:gone")
    choose(at, "slider", "linf", 2.0)
    assert len(at.warning) == 1
    choose(at, "selectbox", "model", "cifar10-standard")
    assert not at.warning
    choose(at, "selectbox", "model", "tiny12-standard")
    assert not at.warning


def test_a_classifier_that_goes_while_the_page_is_open_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a visitor's own one does when the connection breaks."""
    name = plant_functions(tmp_path)[0]
    monkeypatch.setenv("EXPLORER_MODELS", name)
    at = open_page(ATTACK, model=name, steps="2")
    assert not at.warning
    monkeypatch.setenv("EXPLORER_MODELS", "")
    choose(at, "slider", "linf", 2.0)
    (warning,) = at.warning
    assert " is no longer here. Add a classifier again on the Models page" in shown(warning.value)
    assert "link" not in warning.value
    assert INSTEAD in warning.value
    choose(at, "slider", "linf", 3.0)
    assert len(at.warning) == 1


def test_a_link_to_a_classifier_that_is_here_says_nothing() -> None:
    at = open_page(ATTACK, model="cifar10-robust")
    assert not at.warning
    assert at.session_state["result attack"].report.recipe.model == "cifar10-robust"
