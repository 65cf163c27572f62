"""Recipes that people edit: plain spellings are values, all else is one sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from explorer.errors import UserError
from explorer.experiments.one_image.recipe import Recipe, RecipeError
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.images.geometry import Crop

RECIPE = Recipe(
    "a b.png", "cifar10-standard", "linf", 4 / 255, 40, target=3, versions={"torch": "2"}
)


def edited(**entries: object) -> str:
    return json.dumps(json.loads(RECIPE.to_json()) | entries)


def test_json_round_trip():
    assert read_recipe(RECIPE.to_json()) == (RECIPE, {})


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("epsilon", "8/255", 8 / 255),
        ("epsilon", " 1.5/255 ", 1.5 / 255),
        ("epsilon", "0.03", 0.03),
        ("epsilon", 1, 1.0),
        ("step_size", "1/255", 1 / 255),
        ("steps", "20", 20),
        ("steps", 20.0, 20),
        ("seed", "-12345678901234567890", -12345678901234567890),
        ("seed", "0" * 39 + "7", 7),
        ("label", 3.0, 3),
        ("crop", {"x": 0, "y": "1/2"}, Crop(0.0, 0.5)),
        ("crop", "0.25,1,2", Crop(0.25, 1.0, 2.0)),
    ],
)
def test_a_plain_spelling_is_a_value(name, value, read):
    assert read_recipe(edited(**{name: value})) == (replace(RECIPE, **{name: read}), {})


@pytest.mark.parametrize(
    "name", [name for name in Recipe.__dataclass_fields__ if hasattr(Recipe, name)]
)
def test_null_is_the_default(name):
    default = getattr(Recipe, name)
    assert read_recipe(edited(**{name: None})) == (replace(RECIPE, **{name: default}), {})


def test_null_is_the_default_of_a_part_too():
    assert read_recipe(edited(versions=None))[0].versions == {}
    assert read_recipe(edited(crop={"x": 0.25, "zoom": None}))[0].crop == Crop(0.25)


def test_the_names_of_classes_wait_for_a_classifier():
    recipe, names = read_recipe(edited(label="cat", target="7"))
    assert recipe == replace(RECIPE, label=None, target=None)
    assert names == {"label": "cat", "target": "7"}


def test_a_byte_order_mark_is_no_part_of_a_recipe():
    assert read_recipe("\ufeff" + RECIPE.to_json())[0] == RECIPE


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a recipe, which is JSON"),
        ('{"format": 1,}', "not a recipe, which is JSON: .*double quotes"),
        ("[]", "format 1"),
        ("{}", "format 1"),
        ("[" * 100_000, "not a recipe"),
        (json.dumps({"format": 1, "image": "x"}), "the recipe lacks model, norm, epsilon, steps"),
        (json.dumps({"format": 1, "colour": "red"}), "does not know: colour; correct or remove"),
        ('{"format": 1, "steps": 1, "steps": 2}', "has steps twice; keep one"),
        ('{"format": 1, "steps": ' + "9" * 5000 + "}", "not a recipe"),
    ],
)
def test_an_error_says_why_a_text_is_no_recipe(text, words):
    with pytest.raises(RecipeError, match=words) as raised:
        read_recipe(text)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("image", "\0", "a text; it is '.x00'"),
        ("model", "\ud800", "a text"),
        ("norm", None, "a text; it is null"),
        ("epsilon", [], r"a number; it is \[\]"),
        ("epsilon", "four", "a number; it is 'four'"),
        ("epsilon", "1/0", "a number"),
        ("epsilon", float("nan"), "a number; it is nan"),
        ("epsilon", float("inf"), "a number; it is inf"),
        ("epsilon", "nan", "a number"),
        ("epsilon", True, "a number; it is true"),
        ("steps", 2.5, "a whole number; it is 2.5"),
        ("steps", "2.5", "a whole number; it is '2.5'"),
        ("steps", float("inf"), "a whole number; it is inf"),
        ("steps", float("nan"), "a whole number; it is nan"),
        ("steps", True, "a whole number; it is true"),
        ("steps", "9" * 5000, "a whole number"),
        ("step_size", "\0", "a number or null"),
        ("step_size", 10**400, "a number or null"),
        ("random_start", 1, "true or false; it is 1"),
        ("random_start", "true", "true or false; it is 'true'"),
        ("label", ["cat"], r"the index or the name of a class or null; it is \['cat'\]"),
        ("label", "\0", "the index or the name"),
        ("target", "a" * 5000, "the index or the name"),
        ("weights", 10**30, "a text or null"),
        ("versions", False, "an object of texts; it is false"),
        ("versions", {"torch": 2}, "a text; it is 2"),
        ("crop", [0.5, 0.5], "an object of x, y and zoom"),
    ],
)
def test_an_error_names_the_field_of_the_wrong_type(name, value, words):
    with pytest.raises(RecipeError, match=f"^the recipe's {name} must be {words}") as raised:
        read_recipe(edited(**{name: value}))
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(
    ("crop", "words"),
    [
        ({"x": "left"}, "the crop's x must be a number; it is 'left'"),
        ({"x": 2}, "the crop.*from 0 to 1"),
        ({"width": 1}, "the crop has entries this version does not know: width"),
        ("0.5", "'0.5' is not a crop"),
    ],
)
def test_an_error_says_why_a_crop_cannot_be_used(crop, words):
    with pytest.raises(UserError, match=words):
        read_recipe(edited(crop=crop))
