"""The seven stops of the tour, without a browser: what each computes, asks and leads to."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from explorer.classifiers import load
from explorer.experiments.one_image.attack_image import predict
from explorer.ui.overview.questions import SHOW
from explorer.ui.overview.stops import STOPS
from tests.ui.app import TIMEOUT, component, open_page, outcome, wait_until_idle

PENDING = "Choose one, and the answer appears here."


def open_stop(number: int, **address: str) -> AppTest:
    return open_page(stop=str(number), **address)


def group(at: AppTest, key: str) -> Any:
    (item,) = (item for item in at.get("button_group") if item.key == key)
    return item


def choose(at: AppTest, key: str, value: str) -> AppTest:
    group(at, key).set_value(value)
    return wait_until_idle(at.run())


def answer(at: AppTest, stop: str, choice: str = SHOW) -> AppTest:
    return choose(at, f"tour_answer_{stop}", choice)


def click(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click()
    return wait_until_idle(at.run())


def texts(at: AppTest) -> str:
    return "\n".join(item.value.replace("\N{NO-BREAK SPACE}", " ") for item in at.markdown)


def is_pending(at: AppTest) -> bool:
    return any(item.value == PENDING for item in at.caption)


def title(at: AppTest) -> str:
    (only,) = at.title
    return str(only.value)


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.module)
def test_a_stop_has_one_sentence_and_one_question_that_is_not_answered_yet(stop: Any) -> None:
    at = open_stop(stop.number)
    assert not at.error
    assert title(at) == stop.title
    assert stop.sentence in texts(at)
    questions = [
        item for item in at.get("button_group") if (item.key or "").startswith("tour_answer_")
    ]
    assert len(questions) == 1
    assert questions[0].options[-1] == SHOW
    assert is_pending(at)
    assert "✓" not in texts(at)
    at = answer(at, questions[0].key.removeprefix("tour_answer_"))
    assert not is_pending(at)
    assert not at.error


def test_buttons_and_the_list_of_stops_go_through_the_tour() -> None:
    at = open_page()
    assert at.button(key="tour_previous").disabled
    at = click(at, "tour_next")
    assert title(at) == STOPS[1].title
    at = choose(at, "stop", "7")
    assert title(at) == STOPS[6].title
    assert at.button(key="tour_next").disabled
    at = click(at, "tour_previous")
    assert title(at) == STOPS[5].title


def test_only_the_open_stop_computes() -> None:
    at = open_stop(5)
    assert "result tour robust True" in at.session_state
    others = ("overview", "overview one step", "tour epsilon", "tour attack", "tour transfer")
    assert not any(f"result {place}" in at.session_state for place in others)


def test_an_answer_stays_while_other_stops_are_open() -> None:
    at = answer(open_stop(4), "noise")
    at = click(click(at, "tour_next"), "tour_previous")
    assert title(at) == STOPS[3].title
    assert not is_pending(at)


def test_the_first_step_of_a_pixel_follows_the_sign_of_its_gradient() -> None:
    at = open_stop(2)
    data = component(at, "pixel_view")
    assert [channel["step"] for channel in data["channels"]] == ["?"] * 3
    assert not any(channel["path"] for channel in data["channels"])
    question = group(at, "tour_answer_step").label
    steepest = max(data["channels"], key=lambda each: abs(number(each["gradient"])))
    assert steepest["name"] in question
    assert steepest["gradient"] in question
    right = "brighter" if steepest["sign"] == "+" else "darker"
    at = answer(at, "step", right)
    assert "✓ **Right.**" in texts(at)
    for channel in component(at, "pixel_view")["channels"]:
        assert number(channel["step"]) * number(channel["gradient"]) > 0
        assert channel["path"][0] == 0
        assert max(map(abs, channel["path"])) <= data["epsilon"] + 1e-3
    at = answer(at, "step", "darker" if right == "brighter" else "brighter")
    assert "✗ **No.**" in texts(at)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def test_the_steps_go_on_on_the_attack_page() -> None:
    at = click(open_stop(2), "to_attack")
    assert title(at) == "Attack an image"
    recipe = at.session_state["result attack"].report.recipe
    assert (recipe.steps, recipe.random_start, recipe.target) == (8, False, 368)
    assert recipe.step_size == pytest.approx(0.007 / 4)


def test_epsilon_moves_once_the_smallest_one_was_guessed() -> None:
    at = open_stop(3)
    assert outcome(at) == "held"
    assert not any(
        item.proto.component_name == "explorer.live_epsilon" for item in at.get("bidi_component")
    )
    at = answer(at, "epsilon", "1/255 to 4/255")
    assert component(at, "live_epsilon")["value"] == 0.5
    deadline = time.monotonic() + TIMEOUT
    while not component(at, "live_epsilon")["ladders"][0]["is_complete"]:
        assert time.monotonic() < deadline, "the ladder did not come"
        assert "✗" not in texts(at)  # nothing is right or wrong before it is known
        at = wait_until_idle(at.run())
    (text,) = (item.value for item in at.markdown if "smallest ε at which" in item.value)
    levels = float(re.search(r"succeeds is ([\d.]+)/255", text)[1])
    assert text.startswith("✓ **Right.**" if 1 < levels <= 4 else "✗ **No.**")
    sent = [
        json.loads(item.proto.json)[0]["rungs"]
        for item in at.get("bidi_component")
        if item.proto.component_name == "explorer.ladder_rungs"
    ]
    smallest = min(rung["epsilon"] for rungs in sent for rung in rungs if rung["success"])
    assert 255 * smallest == pytest.approx(levels)
    at = click(at, "to_attack")
    assert at.session_state["result attack"].report.recipe.epsilon == pytest.approx(0.5 / 255)


def cards(at: AppTest) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = component(at, "picture_cards")["cards"]
    return data


def test_noise_of_the_same_size_is_told_from_the_attack_after_the_answer_only() -> None:
    at = open_stop(4)
    before = cards(at)
    assert [card["title"] for card in before] == ["original", "left", "right"]
    assert [card["name"] for card in before] == ["cat", "?", "?"]
    assert all("?" in card["alt"] for card in before[1:])
    at = answer(at, "noise", "the right one")
    after = cards(at)
    assert [card["src"] for card in after] == [card["src"] for card in before]
    assert [card["title"] for card in after[1:]] == ["left: random noise", "right: attacked"]
    assert after[1]["name"] == "cat" != after[2]["name"]
    assert "✓ **Right.** In both pictures values change by up to 8/255." in texts(at)
    assert "0 of 20 samples of random noise" in texts(at)
    at = click(at, "other_noise")
    other = cards(at)
    assert [card["title"] for card in other[1:]] == ["left: attacked", "right: random noise"]
    assert other[1]["src"] == after[2]["src"]
    assert other[2]["src"] != after[1]["src"]


def test_the_robust_classifier_gets_the_standard_ones_attack() -> None:
    at = open_stop(5)
    assert [card["name"] for card in cards(at)] == ["cat", "dog", "?"]
    at = answer(at, "robust", "another class")
    assert "✗ **No.**" in texts(at)
    assert [card["name"] for card in cards(at)] == ["cat", "dog", "cat"]
    at = choose(at, "tour_epsilon", "8/255")
    standard, robust = (
        at.session_state[f"result tour robust {kind}"].report for kind in (False, True)
    )
    assert (standard.recipe.model, robust.recipe.model) == ("cifar10-standard", "cifar10-robust")
    assert standard.recipe.epsilon == robust.recipe.epsilon == 8 / 255
    assert torch.equal(standard.original, robust.original)
    said = predict(load("cifar10-robust"), robust.adversarial[None])[0]
    assert cards(at)[2]["name"] == said.name == robust.after.name
    at = click(at, "to_compare")
    assert title(at) == "Compare classifiers"
    shown = at.session_state["compare_shown"].comparison
    assert [each.name for each in shown.classifiers] == ["cifar10-standard", "cifar10-robust"]
    assert [each.report.recipe.epsilon for each in shown.classifiers] == [8 / 255] * 2
    assert torch.equal(shown.classifiers[1].report.adversarial, robust.adversarial)


def test_the_five_sets_are_those_of_their_page() -> None:
    at = open_stop(6)
    row = component(at, "five_sets_row")["cards"]
    assert [card["name"] for card in row] == ["D", "D_R", "D_NR", "D_rand", "D_det"]
    assert all("explanation" not in card for card in row)
    card = next(each for each in load_cards() if each["name"] == "cifar10-d_det")
    accuracy = next(each for each in card["accuracy"] if each["epsilon"] == 0)
    assert not any(f"{100 * accuracy['accuracy']:.1f} %" in item.value for item in at.markdown)
    at = answer(at, "sets", "more than guessing")
    assert f"✓ **Right.** It is right on {100 * accuracy['accuracy']:.1f} % of" in texts(at)
    at = click(choose(at, "tour_view", "difference from the source"), "to_datasets")
    assert title(at) == "Robust and non-robust data"
    assert at.query_params["view"] == "difference from the source"
    at = choose(at, "view", "picture")
    pictures = [card["src"] for card in component(at, "five_sets_row")["cards"]]
    assert pictures == [card["src"] for card in row]


def load_cards() -> list[dict[str, Any]]:
    from explorer.files import ASSETS

    return [json.loads(path.read_text()) for path in (ASSETS / "classifiers").glob("*.json")]


def test_transfer_is_counted_over_the_samples_with_an_interval() -> None:
    at = open_stop(7)
    assert [card["name"] for card in cards(at)] == ["cat", "frog", "?"]
    at = answer(at, "transfer")
    report = at.session_state["result tour transfer"].report
    says = predict(load("cifar10-d"), report.adversarial[None])[0].name
    assert cards(at)[2]["name"] == says
    assert "sample pictures that both get right" in texts(at)
    assert "95 % Wilson interval" in texts(at)
    links = [button.key for button in at.button if (button.key or "").startswith("to_")]
    assert {"to_features", "to_gaussians", "to_curves"} <= set(links)
    at = click(at, "to_gaussians")
    assert title(at) == "Two Gaussians"


def test_without_a_robust_classifier_a_stop_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from explorer.ui.overview import example

    known = {name: entry for name, entry in example.entries().items() if not entry.robust}
    monkeypatch.setattr(example, "entries", lambda: known)
    at = open_stop(5)
    assert "needs a standard and a robust classifier" in at.error[0].value
    assert [item.value for item in at.title] == [STOPS[4].title]
    assert at.button(key="tour_next")
    at = click(at, "tour_previous")
    assert cards(at)[0]["title"] == "original"


def test_a_stop_that_does_not_exist_is_the_first_one() -> None:
    for number in ("9", "0", "two"):
        assert title(open_page(stop=number)) == STOPS[0].title


def test_the_presenters_mode_is_in_the_address_and_answers_keys() -> None:
    at = open_stop(2, present="true")
    assert at.toggle(key="present").value
    names = [item.proto.component_name for item in at.get("bidi_component")]
    assert "explorer.presenter" in names
    at.toggle(key="present").set_value(False).run()
    names = [item.proto.component_name for item in at.get("bidi_component")]
    assert "explorer.presenter" not in names


@pytest.mark.parametrize("asked", ["99", "abc"])
def test_a_stop_that_there_is_not_is_named(asked: str) -> None:
    at = open_page(stop=asked)
    assert title(at) == STOPS[0].title
    (warning,) = at.warning
    assert f"stop={asked}" in warning.value
    at = click(at, "tour_next")
    assert not at.warning


@pytest.mark.parametrize(
    ("stop", "address"),
    [
        (2, {"tour_pixel": "10-20", "tour_guess_step": "1"}),
        (3, {"tour_levels": "2.25", "tour_guess_epsilon": "4"}),
        (4, {"tour_noise": "3", "tour_guess_noise": "2"}),
        (5, {"tour_epsilon": "16/255"}),
        (6, {"tour_view": "change from its start"}),
        (7, {"tour_transfer": "4/255"}),
    ],
)
def test_the_address_restores_a_stop_and_keeps_what_was_chosen(
    stop: int, address: dict[str, str]
) -> None:
    at = open_stop(stop, **address)
    assert not at.warning
    assert at.query_params == {"stop": str(stop), **address}
    assert is_pending(at) == (not any("guess" in key for key in address))
    other = "tour_previous" if stop == len(STOPS) else "tour_next"
    back = "tour_next" if stop == len(STOPS) else "tour_previous"
    at = click(at, other)
    assert not set(address) & set(at.query_params)  # they are of the other stop
    at = click(at, back)
    assert at.query_params == {"stop": str(stop), **address}


def test_other_noise_and_another_epsilon_are_in_the_address_at_once() -> None:
    first = open_stop(4)
    at = click(first, "other_noise")
    assert at.query_params["tour_noise"] == "1"
    again = open_stop(4, tour_noise="1")
    names = [[card["src"] for card in cards(each)] for each in (at, again)]
    assert names[0] == names[1]


def test_a_stop_names_what_it_can_not_show() -> None:
    at = open_stop(2, tour_pixel="5000-1", tour_guess_step="7")
    (warning,) = at.warning
    assert "possible: a whole number from 1 to 3" in warning.value
    assert "5000" in warning.value
    assert is_pending(at)
