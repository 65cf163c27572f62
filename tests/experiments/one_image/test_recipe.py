from __future__ import annotations

import json
from dataclasses import replace

import pytest

from explorer.experiments.one_image.recipe import (
    Recipe,
    RecipeError,
    RecordedPrediction,
    format_epsilon,
    parse_number,
)
from explorer.experiments.one_image.recipe_file import read_recipe

RECIPE = Recipe(
    "a b.png", "cifar10-standard", "linf", 4 / 255, 40, target=3, versions={"torch": "2"}
)


@pytest.mark.parametrize(
    ("text", "value"), [("4/255", 4 / 255), ("0.5", 0.5), (" 1.5/255 ", 1.5 / 255), ("1e-3", 1e-3)]
)
def test_numbers(text, value):
    assert parse_number(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "1/0", "1/2/3", "nan", "inf"),
        *("1e400", "1e999", "1e99999999", "1e9_999_999_999", "1/1e-99999999", "9" * 5000),
    ],
)
def test_an_error_says_that_a_text_is_no_number(text):
    with pytest.raises(RecipeError, match="not a number"):
        parse_number(text)


def test_epsilon_is_shown_in_levels_for_linf():
    assert format_epsilon(8 / 255, "linf") == "8/255"
    assert format_epsilon(0.007, "linf") == "1.785/255"
    assert format_epsilon(0.5, "l2") == "0.5"
    for levels in range(256):  # exact both ways
        assert parse_number(format_epsilon(levels / 255, "linf")) == levels / 255


def test_fgsm_is_recognised():
    assert RECIPE.fgsm().is_fgsm
    assert not RECIPE.is_fgsm


def test_predictions_that_are_recorded_are_compared_within_a_tolerance():
    cat, near, far = (RecordedPrediction("cat", value) for value in (0.9, 0.9009, 0.9011))
    first = replace(RECIPE, original=cat, adversarial=RecordedPrediction("dog", 0.5))
    assert first.differences(replace(first, original=near)) == []
    assert first.differences(replace(first, original=far)) == [
        "the prediction for the original image: was cat 90.00 %, is cat 90.11 %"
    ]
    ship = replace(first, adversarial=RecordedPrediction("ship", 0.5))
    assert first.differences(ship) == [
        "the prediction for the adversarial image: was dog 50.00 %, is ship 50.00 %"
    ]
    assert RECIPE.differences(first) == []
    assert first.differences(RECIPE)[0].endswith("was cat 90.00 %, is None")
    assert first.compared == ["predictions (confidences within 0.1 percentage points)"]
    assert read_recipe(first.to_json())[0] == first


@pytest.mark.parametrize(
    "value", [3, "cat", {"name": "cat"}, {"name": "cat", "confidence": "much"}, {"names": "cat"}]
)
def test_a_prediction_that_can_not_be_read_is_a_sentence(value):
    text = json.dumps(json.loads(RECIPE.to_json()) | {"original": value})
    with pytest.raises(RecipeError, match="original"):
        read_recipe(text)


def test_differences_name_inputs_results_and_surroundings():
    first = replace(RECIPE, image_digest="a", weights_digest="b", result_digest="c")
    assert first.differences(first) == []
    second = replace(
        first, weights_digest="x", result_digest="y", device="cuda", versions={"torch": "3"}
    )
    assert first.differences(second) == [
        "the weights are not the same",
        "the adversarial image is not the same",
        "device: was cpu, is cuda",
        "torch: was 2, is 3",
    ]
