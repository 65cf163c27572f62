"""What each of the seven stops computes, asks and answers, without a browser."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
import torch

from explorer.classifiers import load
from explorer.experiments.one_image.attack_image import predict
from tests.ui.app import TIMEOUT, component, outcome, wait_until_idle
from tests.ui.overview.tour import (
    answer,
    cards,
    choose,
    click,
    group,
    open_stop,
    texts,
    title,
)


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
