"""Parsers of text take anything, and give a value or one sentence."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.classifiers import ClassifierError
from explorer.classifiers.class_labels import find_label, parse_labels
from explorer.classifiers.user_model_card import UserModelCard
from explorer.errors import UserError
from explorer.experiments.one_image.attack_image import attack_from
from explorer.experiments.one_image.recipe import (
    Recipe,
    RecipeError,
    format_crop,
    format_epsilon,
    parse_crop,
    parse_number,
)
from explorer.experiments.one_image.recipe_file import read_recipe
from explorer.images.geometry import Crop
from explorer.ui.shared.address import is_infinite

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=8,
)
RECIPE = Recipe("gallery:cifar10-00", "cifar10-standard", "linf", 8 / 255, 10)
FRACTIONS = st.builds("{}/{}".format, st.integers(-(10**6), 10**6), st.integers(1, 10**6))


@settings(deadline=2000)
@given(st.dictionaries(st.sampled_from(sorted(json.loads(RECIPE.to_json()))), JSON, max_size=4))
def test_a_recipe_with_any_values(values):
    text = json.dumps(json.loads(RECIPE.to_json()) | values)
    try:
        recipe, _ = read_recipe(text)
        attack_from(recipe)
    except UserError:
        return
    assert read_recipe(recipe.to_json()) == (recipe, {})


@given(ANY_TEXT | JSON.map(json.dumps))
def test_any_text_is_a_recipe_or_a_sentence(text):
    with pytest.raises(RecipeError):
        read_recipe(text)


@given(ANY_TEXT | JSON.map(json.dumps) | st.lists(ANY_TEXT).map("\n".join))
def test_any_text_is_labels_or_a_sentence(text):
    try:
        labels = parse_labels(text)
    except ClassifierError:
        return
    assert len(labels) >= 2
    assert all(label == label.strip() != "" for label in labels)
    "".join(labels).encode()
    for index, label in enumerate(labels):
        if [each.casefold() for each in labels].count(label.casefold()) == 1:
            assert find_label(label, labels, "it") == index


@given(ANY_TEXT | FRACTIONS | st.floats().map(str))
def test_any_text_is_a_number_or_a_sentence(text):
    try:
        number = parse_number(text)
    except RecipeError:
        return
    assert math.isfinite(number)


@given(st.integers(-(10**6), 10**6), st.integers(1, 10**6))
def test_a_fraction_is_the_nearest_number(numerator, denominator):
    assert parse_number(f"{numerator}/{denominator}") == numerator / denominator


@given(st.integers(0, 255))
def test_an_epsilon_is_read_as_it_is_shown(level):
    assert parse_number(format_epsilon(level / 255, "linf")) == level / 255


@given(ANY_TEXT | st.lists(st.floats(), min_size=2, max_size=3).map(lambda x: str(x)[1:-1]))
def test_any_text_is_a_crop_or_a_sentence(text):
    try:
        crop = parse_crop(text)
    except UserError:
        return
    assert parse_crop(format_crop(crop)) == crop


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1, 8))
def test_a_crop_is_read_as_it_is_written(x, y, zoom):
    crop = replace(Crop(0.5, 0.5), x=x, y=y, zoom=zoom)
    assert parse_crop(format_crop(crop)) == crop


@given(values=st.dictionaries(ANY_TEXT, JSON, max_size=3) | JSON)
def test_a_card_with_any_values(values, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "card.json"
    good = json.loads(UserModelCard("mine", "resnet18").to_json())
    path.write_text(json.dumps(good | values if isinstance(values, dict) else values))
    try:
        card = UserModelCard.read(path)
    except ClassifierError:
        return
    assert replace(card) == card


@given(ANY_TEXT | st.floats().map(str))
def test_any_value_of_an_address_is_infinite_or_not(text):
    try:
        expected = math.isinf(float(text))
    except ValueError:
        expected = False
    assert is_infinite(text) == expected
