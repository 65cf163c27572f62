"""A link with values that the page can't have: the page says which, until the visitor goes on."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from explorer.ui.components.markdown import plain
from tests.ui.app import ATTACK, choose, open_page, shown


def said(at: AppTest) -> list[str]:
    return [warning.value for warning in at.warning if "in this link" in warning.value]


def test_values_that_no_widget_can_have_are_named() -> None:
    at = open_page(
        ATTACK, model="cifar10-robust", steps="-1", target="nosuch", linf="nan", image="frog"
    )
    (sentence,) = said(at)
    for value in ("steps=-1", "target=nosuch", "linf=nan"):
        assert plain(value) in sentence
    assert "image" not in sentence
    at.run()
    assert said(at)
    choose(at, "slider", "steps", 5)
    assert not said(at)


def test_a_whole_link_says_nothing() -> None:
    at = open_page(
        ATTACK, model="cifar10-standard", steps="5", linf="1.785", image="frog", random="false"
    )
    assert not said(at)
    assert at.session_state["linf"] == 1.785
    assert at.session_state["random"] is False


def test_a_step_of_0_is_refused_with_what_is_possible() -> None:
    at = open_page(ATTACK, model="cifar10-standard", steps="2", step_linf="0", linf="2")
    (sentence,) = said(at)
    assert "step_linf=0 (possible: 0.01 to 255). The page leaves it empty." in shown(sentence)
    assert at.session_state["step_linf"] is None


def test_a_wrong_value_of_the_switch_at_the_foot_and_a_setting_twice_are_named() -> None:
    at = open_page(ATTACK, model="cifar10-standard", large="maybe", linf=["0.03", "0.05"])
    (sentence,) = said(at)
    assert "large=maybe (possible: true, false). The page uses false." in shown(sentence)
    assert "linf=0.03, 0.05 (possible: one value). The page uses 4." in shown(sentence)
    assert not said(open_page(ATTACK, model="cifar10-standard", large="true"))
