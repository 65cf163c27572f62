"""Addresses of pages: keys of their own, old links, choices, and values that can't be had."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.images.gallery import sample
from tests.ui.app import ATTACK, choose, component, open_page, shown, wait_until_idle

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
    said = shown(warning.value)
    assert "- row_image=nosuch (possible: cat, ship, " in said
    assert (
        "- row_seed=-3 (possible: a whole number from 0 to 2,147,483,647). The page uses 4." in said
    )
    assert "others" not in said
    assert at.multiselect(key="others").value == ["cifar10-d_r"]
    choose(at, "number_input", "row_seed", 5)
    assert not at.warning


def test_what_a_button_chooses_is_in_the_address_at_once() -> None:
    at = open_page(ATTACK, model="cifar10-standard", norm="L2", steps="2")
    at.button(key="preset 8/255").click()
    wait_until_idle(at.run())
    assert at.slider(key="linf").value == 8
    assert float(at.query_params["linf"]) == 8


@pytest.mark.parametrize("name", ["cifar10-01", "gallery:cifar10-01"])
def test_a_sample_may_be_named_as_commands_name_it(name: str) -> None:
    at = open_page(ATTACK, model="cifar10-standard", image=name, steps="2")
    assert not at.warning
    assert at.selectbox(key="image").value == sample("cifar10-01").title
    assert at.query_params.get("image") == sample("cifar10-01").title


def test_a_sample_of_another_gallery_is_refused_with_those_there_are() -> None:
    at = open_page(ATTACK, model="cifar10-standard", image="coffee", linf="99", steps="2")
    (warning,) = at.warning
    said = shown(warning.value)
    assert "image=cup of coffee (possible: cat, ship" in said
    assert "linf=99 (possible: 0 to 32)" in said


def test_a_name_that_the_page_does_not_know_is_said_with_the_nearest_one() -> None:
    at = open_page(ATTACK, model="cifar10-standard", imge="frog", steps="2")
    (warning,) = at.warning
    assert shown(warning.value).endswith(
        "- “imge” is no setting of this page, and has no effect. Did you mean “image”?"
    )
    choose(at, "slider", "linf", 2.0)
    assert not at.warning


def test_names_without_a_near_one_get_all_that_the_page_knows() -> None:
    at = open_page("../pages/models.py", qqq="1")
    assert ["qqq" in each.value for each in at.warning] == [True]
    at = open_page("../pages/overview.py", stop="1", zzz="1", yyy="2")
    (warning,) = at.warning
    end = "is no setting of this page, and has no effect."
    known = "The settings of this page: stop, present, tour_guess_panda."
    assert shown(warning.value).endswith(f"\n- “zzz” {end}\n- “yyy” {end}\n- {known}")


def test_the_keys_of_a_page_that_was_left_are_no_unknown_names() -> None:
    at = open_page("../pages/models.py")
    at.query_params["compare_steps"] = "3"  # as Streamlit may take it along
    wait_until_idle(at.switch_page(ATTACK).run())
    assert not at.warning


def test_the_mask_leaves_the_address_with_its_section_and_comes_back_with_it() -> None:
    at = open_page("../pages/features.py", features_section="Painting", features_painted_steps="5")
    mask = at.query_params["features_mask"]
    at.button_group(key="features_section").set_value("Layer by layer")
    wait_until_idle(at.run())
    assert "features_mask" not in at.query_params
    at.button_group(key="features_section").set_value("Painting")
    wait_until_idle(at.run())
    assert at.query_params["features_mask"] == mask
