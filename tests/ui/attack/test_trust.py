"""The attack page says whether its result can be trusted, and asks another library on request."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.experiments import second_opinion
from explorer.ui.attack import trust
from tests.experiments.trust import flawed_models
from tests.ui.app import ATTACK, open_page, shown, wait_until_idle

QUESTION = "Can this result be trusted?"


def checks(at: AppTest):
    (section,) = [each for each in at.expander if each.label.startswith(QUESTION)]
    return section


def test_all_is_well_and_collapsed_with_a_bundled_classifier() -> None:
    at = open_page(ATTACK, model="cifar10-standard")
    section = checks(at)
    assert section.label == f"{QUESTION} Nothing speaks against it"
    assert not section.proto.expanded
    (measured,) = [each.value for each in section.markdown]
    assert "Gradient at this image: not zero." in measured
    assert "0 of 8 trials" in measured


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("rounded", "gradient is exactly zero"),
        ("dropping", "outputs change"),
    ],
)
def test_a_network_that_only_seems_robust_is_named(function, words, monkeypatch) -> None:
    name = f"{flawed_models.__file__}:{function}"
    monkeypatch.setenv("EXPLORER_MODELS", name)
    at = open_page(ATTACK, model=name)
    section = checks(at)
    assert "for doubt" in section.label
    assert section.proto.expanded
    paragraphs = [shown(each.value) for each in section.markdown]
    (paragraph,) = [each for each in paragraphs if words in each]
    assert "https://arxiv.org/abs/" in paragraph


def test_a_second_opinion_comes_on_request(monkeypatch) -> None:
    monkeypatch.setattr(second_opinion, "QUERIES", 200)
    at = open_page(ATTACK, model="cifar10-standard", linf="4")
    at.button(key="ask_opinion").click()
    wait_until_idle(at.run())
    (opinion,) = [each.value for each in at.success if "Second opinion." in each.value]
    assert "The result is confirmed" in opinion
    assert any("APGD succeeds" in each.value for each in at.caption)
    assert not [each for each in at.button if each.key == "ask_opinion"]


def test_what_is_known_is_not_asked_again(monkeypatch) -> None:
    at = open_page(ATTACK, model="cifar10-standard", linf="4")
    label = checks(at).label

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(trust, "report_evidence", refuse)
    again = open_page(ATTACK, model="cifar10-standard", linf="4")
    assert checks(again).label == label
