"""The attack page, without a browser."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.experiments.effort import QUICK_STEPS
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.figures.palette import OUTCOME_MARKS
from explorer.ui.shared.glossary import GLOSSARY
from tests.ui.app import ATTACK, choose, component, open_page, outcome, pixels

CIFAR = {"model": "cifar10-standard"}


def open_attack(**address: str) -> AppTest:
    return open_page(ATTACK, **{**CIFAR, **address})


def adversarial(at: AppTest) -> tuple[str, str]:
    picture = component(at, "triptych")["pictures"][2]
    return picture["name"], picture["confidence"]


def test_the_first_picture_is_already_attacked() -> None:
    at = open_page(ATTACK)
    assert outcome(at) == "fooled"
    assert len(at.get("plotly_chart")) == 1
    assert component(at, "scrubber")["steps"] == QUICK_STEPS


def test_a_larger_epsilon_changes_the_picture_and_the_prediction() -> None:
    at = open_attack(linf="0.25")
    assert outcome(at) == "held"
    before = pixels(at, 2)
    choose(at, "slider", "linf", 8.0)
    assert outcome(at) == "fooled"
    assert np.abs(pixels(at, 2).astype(int) - before).max() > 2
    assert component(at, "triptych")["operators"][0] == "+ 8/255 ×"


def test_epsilon_0_leaves_the_picture_as_it_was() -> None:
    at = open_attack(linf="0")
    assert outcome(at) == "held"
    np.testing.assert_array_equal(pixels(at, 0), pixels(at, 2))
    assert component(at, "triptych")["pictures"][1]["title"] == "perturbation: none"


def test_an_l2_attack_is_measured_in_l2() -> None:
    at = open_attack()
    choose(at, "button_group", "norm", "L2")
    radius = at.sidebar.slider(key="l2").value
    rows = component(at, "triptych")["measures"]
    measures = {name: value for name, value, _ in rows}
    assert [text for *_, text in rows] == [GLOSSARY[term].text for term in ("linf", "l2", "ssim")]
    assert radius == 0.5
    assert float(measures["L2"]) == pytest.approx(radius, abs=0.005)
    assert all(text.startswith("L2 ") for text in component(at, "scrubber")["distance"])


def test_the_target_is_reached() -> None:
    at = open_attack(linf="8")
    target = next(
        name
        for name in ("frog", "truck")
        if name not in (adversarial(at)[0], component(at, "triptych")["pictures"][0]["name"])
    )
    choose(at, "selectbox", "target", target)
    assert outcome(at) == "fooled"
    assert adversarial(at)[0] == target
    assert [curve["name"] for curve in component(at, "scrubber")["charts"][0]["curves"]][
        -1
    ] == f"target: {target}"


def test_a_target_the_image_already_shows_is_one_sentence() -> None:
    at = open_attack()
    choose(at, "selectbox", "target", component(at, "triptych")["pictures"][0]["name"])
    (error,) = at.error
    assert "choose another target" in error.value
    assert component(at, "triptych")["pictures"][2]["name"]  # the last result is still there


def test_fgsm_is_one_full_step() -> None:
    at = open_attack()
    choose(at, "button_group", "method", "FGSM")
    assert component(at, "scrubber")["steps"] == 1
    assert not [slider for slider in at.sidebar.slider if slider.key == "steps"]


@pytest.mark.parametrize(
    ("preset", "norm", "epsilon", "fgsm"),
    [
        ("8/255", "linf", 8 / 255, False),
        ("the panda's ε = 0.007", "linf", 0.007, True),
        ("paper: L2 0.5", "l2", 0.5, False),
    ],
)
def test_presets(preset: str, norm: str, epsilon: float, fgsm: bool) -> None:
    at = open_attack(linf="2")
    at.button(key=f"preset {preset}").click()
    choose(
        at,
        "number_input" if not fgsm else "selectbox",
        "seed" if not fgsm else "label",
        0 if not fgsm else None,
    )
    recipe = at.session_state["result attack"].report.recipe
    assert recipe.norm == norm
    assert recipe.epsilon == pytest.approx(epsilon, rel=1e-3)
    assert recipe.is_fgsm == fgsm


def test_another_label_than_the_prediction_is_misclassified_from_the_start() -> None:
    at = open_attack()
    prediction = component(at, "triptych")["pictures"][0]["name"]
    other = "truck" if prediction != "truck" else "ship"
    choose(at, "selectbox", "label", other)
    assert outcome(at) == OUTCOME_MARKS["misclassified"].word
    assert f"not “{other}”" in component(at, "triptych")["verdict"]


def test_the_address_restores_the_page() -> None:
    at = open_attack(
        norm="L2",
        l2="1.25",
        steps="7",
        target="frog",
        seed="3",
        image="ship 2",
        random="true",
        restarts="2",
    )
    at.run()
    recipe = at.session_state["result attack"].report.recipe
    assert (recipe.norm, recipe.epsilon, recipe.steps, recipe.seed, recipe.restarts) == (
        "l2",
        1.25,
        7,
        3,
        2,
    )
    assert at.session_state["result attack"].request.picture.title == "ship 2"
    (link,) = [code.value for code in at.code if code.value.startswith("?") or "://" in code.value]
    address = dict(parse_qsl(urlsplit(link).query))
    again = open_page(ATTACK, **address)
    assert again.session_state["result attack"].report.recipe == recipe
    np.testing.assert_array_equal(pixels(again, 2), pixels(at, 2))


def test_nonsense_in_the_address_gives_the_defaults() -> None:
    at = open_attack(linf="999", steps="-3", norm="L7", target="unicorn", image="nothing", seed="x")
    recipe = at.session_state["result attack"].report.recipe
    assert (recipe.norm, recipe.steps, recipe.target, recipe.seed) == ("linf", 40, None, 0)
    assert recipe.epsilon == pytest.approx(4 / 255)


def test_infinite_numbers_in_the_address_give_the_defaults_too() -> None:
    at = open_attack(seed="inf", restarts="1e999", steps="7")
    recipe = at.session_state["result attack"].report.recipe
    assert (recipe.seed, recipe.restarts, recipe.steps) == (0, 1, 7)
    assert not at.error


def test_another_classifier_has_its_own_gallery() -> None:
    at = open_attack()
    assert pixels(at, 0).shape == (32, 32, 3)
    choose(at, "selectbox", "model", "tiny12-standard")
    assert pixels(at, 0).shape == (64, 64, 3)
    assert not at.error


def test_the_command_line_and_the_recipe_say_the_same() -> None:
    at = open_attack(seed="5", steps="9")
    report = at.session_state["result attack"].report
    (command,) = [
        code.value for code in at.code if code.value.startswith("python -m explorer attack")
    ]
    assert "--seed 5" in command
    assert "--steps 9" in command
    assert read_recipe(report.recipe.to_json()) == (report.recipe, {})


def test_a_slider_moved_back_shows_the_same_result_without_another_attack() -> None:
    at = open_attack(linf="3.25", seed="17")
    first = component(at, "triptych")
    choose(at, "slider", "linf", 7.75)
    assert component(at, "triptych")["pictures"] != first["pictures"]
    choose(at, "slider", "linf", 3.25)
    again = component(at, "triptych")
    assert again["pictures"] == first["pictures"]
    assert (first["timing"]["from_cache"], again["timing"]["from_cache"]) == (False, True)
    assert again["cost"] == first["cost"] + ", from cache"


def test_a_slow_attack_of_this_page_is_not_called_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    # With a slow attack the page runs again when it has finished.
    monkeypatch.setattr("explorer.ui.jobs.progress.PATIENCE", 0.0)
    at = open_attack(linf="3.75", seed="19")
    assert component(at, "triptych")["timing"]["from_cache"] is False
    assert component(at.run(), "triptych")["timing"]["from_cache"] is False


def test_the_cost_is_shown_by_stages() -> None:
    data = component(open_attack(linf="2.75", seed="18"), "triptych")
    timing = data["timing"]
    assert set(timing) == {
        *("from_cache", "queue", "preparation", "attack", "sprite_sheet", "encoding"),
    }
    assert timing["attack"] > 0
    assert data["stages"].count(" s, ") == 4
