from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.experiments.one_image.recipe import Recipe, RecipeError, format_epsilon, parse_number

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
