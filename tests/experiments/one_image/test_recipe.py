from __future__ import annotations

import json
from dataclasses import replace

import pytest

from explorer.errors import UserError
from explorer.experiments.one_image.recipe import Recipe, RecipeError, format_epsilon, parse_number
from explorer.images.geometry import Crop

RECIPE = Recipe(
    "a b.png", "cifar10-standard", "linf", 4 / 255, 40, target=3, versions={"torch": "2"}
)


def test_json_round_trip():
    assert Recipe.from_json(RECIPE.to_json()) == RECIPE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a recipe"),
        ("[]", "format 1"),
        ("{}", "format 1"),
        ("[" * 100_000, "not a recipe"),
        (json.dumps({"format": 1, "image": "x"}), "the recipe lacks model, norm, epsilon, steps"),
        (json.dumps({"format": 1, "colour": "red"}), "does not know: colour"),
    ],
)
def test_an_error_says_why_a_text_is_no_recipe(text, words):
    with pytest.raises(RecipeError, match=words):
        Recipe.from_json(text)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("image", "\0", "a text; it is '.x00'"),
        ("model", "\ud800", "a text"),
        ("norm", None, "a text; it is None"),
        ("epsilon", [], r"a number; it is \[\]"),
        ("epsilon", float("nan"), "a number; it is nan"),
        ("epsilon", True, "a number; it is True"),
        ("steps", 2.0, "a whole number; it is 2.0"),
        ("steps", True, "a whole number; it is True"),
        ("step_size", "\0", "a number or null"),
        ("step_size", 10**400, "a number or null"),
        ("random_start", 1, "true or false; it is 1"),
        ("label", [], "a whole number or null"),
        ("weights", 10**30, "a text or null"),
        ("versions", None, "an object of texts; it is None"),
        ("versions", False, "an object of texts"),
        ("versions", {"torch": 2}, "a text; it is 2"),
        ("crop", "0.5", "an object of x, y and zoom"),
    ],
)
def test_an_error_names_the_field_of_the_wrong_type(name, value, words):
    recipe = json.loads(RECIPE.to_json()) | {name: value}
    with pytest.raises(RecipeError, match=f"^the recipe's {name} must be {words}"):
        Recipe.from_json(json.dumps(recipe))


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        ({"x": "left"}, "the crop's x must be a number; it is 'left'"),
        ({"x": 2}, "the crop.*from 0 to 1"),
        ({"width": 1}, "the crop has entries this version does not know: width"),
    ],
)
def test_an_error_says_why_a_crop_cannot_be_used(crop, words):
    recipe = json.loads(RECIPE.to_json()) | {"crop": crop}
    with pytest.raises(UserError, match=words):
        Recipe.from_json(json.dumps(recipe))


def test_a_whole_number_is_a_number():
    recipe = json.loads(RECIPE.to_json()) | {"epsilon": 1, "crop": {"x": 0, "y": 1}}
    assert Recipe.from_json(json.dumps(recipe)) == replace(RECIPE, epsilon=1.0, crop=Crop(0.0, 1.0))


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
