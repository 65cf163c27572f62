"""Addresses of pages: keys of their own, old links, choices, and values that can't be had."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from explorer.ui.components.markdown import plain
from tests.ui.app import ATTACK, choose, component, open_page, wait_until_idle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "10", "attack_steps": "5"}


def label(at: AppTest) -> str:
    return str(component(at, "five_sets_row")["cards"][0]["label"])


def test_a_link_of_an_earlier_version_opens_its_picture() -> None:
    at = open_page(DATASETS, image="truck", **QUICK)
    assert (at.selectbox(key="row_image").value, label(at)) == ("truck", "truck")
    assert not at.warning
    assert at.query_params.get("row_image") == "truck"
    assert "image" not in at.query_params


def test_each_page_keeps_its_own_picture() -> None:
    at = choose(
        open_page(ATTACK, model="cifar10-standard", steps="2"), "selectbox", "image", "frog"
    )
    wait_until_idle(at.switch_page(DATASETS).run())
    assert label(at) == "cat"
    choose(at, "selectbox", "row_image", "truck")
    assert label(at) == "truck"
    wait_until_idle(at.switch_page(ATTACK).run())
    assert at.session_state["result attack"].request.picture.title != "truck"


def test_another_pages_picture_is_not_taken_for_an_old_link() -> None:
    at = open_page(DATASETS, **QUICK)
    at.query_params["image"] = "truck"  # as Streamlit takes it along from the attack page
    wait_until_idle(at.run())
    assert label(at) == "cat"


def test_values_of_a_link_that_cannot_be_had_are_named() -> None:
    at = open_page(DATASETS, row_image="nosuch", row_seed="-3", others="cifar10-d_r", **QUICK)
    (warning,) = at.warning
    assert plain("row_image=nosuch, row_seed=-3") in warning.value
    assert "others" not in warning.value
    assert at.multiselect(key="others").value == ["cifar10-d_r"]
    choose(at, "number_input", "row_seed", 5)
    assert not at.warning


def test_what_a_button_chooses_is_in_the_address_at_once() -> None:
    at = open_page(ATTACK, model="cifar10-standard", norm="L2", steps="2")
    at.button(key="preset 8/255").click()
    wait_until_idle(at.run())
    assert at.slider(key="linf").value == 8
    assert float(at.query_params["linf"]) == 8
