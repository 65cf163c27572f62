from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import OUTCOMES, AttackReport
from explorer.figures.captions import attack_words, levels, measured_words, outcome_words, percent
from explorer.figures.palette import OUTCOME_MARKS

MakeReport = Callable[..., AttackReport]


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.577, "57.7 %"),
        (1.0, "100.0 %"),
        (0.99996, "> 99.9 %"),
        (0.0, "0.0 %"),
        (1e-7, "< 0.1 %"),
        (0.0006, "0.1 %"),
    ],
)
def test_a_confidence_is_never_rounded_to_certainty(probability: float, text: str) -> None:
    assert percent(probability) == text


def test_the_attack_is_named_with_all_that_differs_from_the_ordinary() -> None:
    recipe = Recipe("gallery:x", "m", "linf", 0.007, 1)
    assert attack_words(recipe, None) == "PGD, 1 step, L∞, ε = 1.785/255, untargeted"
    assert attack_words(recipe.fgsm(), None) == "FGSM, L∞, ε = 1.785/255, untargeted"
    other = replace(recipe, norm="l2", epsilon=0.5, steps=40, restarts=3, loss="cw")
    assert (
        attack_words(other, "gibbon")
        == "PGD, 40 steps, margin loss, 3 restarts, L2, ε = 0.5, target: gibbon"
    )


def test_measurements_say_what_they_are_of(make_report: MakeReport) -> None:
    report = replace(make_report(), linf=4 / 255, l2=1.5321, ssim=0.98149)
    assert measured_words(report) == "measured L∞ 4/255, L2 1.53, SSIM 0.981"


def test_a_measured_distance_has_four_digits() -> None:
    assert [levels(value) for value in (0.0, 8 / 255, 0.007, 0.0377631)] == [
        "0/255",
        "8/255",
        "1.785/255",
        "9.63/255",
    ]


def test_every_outcome_has_an_icon_and_words_of_its_own(make_report: MakeReport) -> None:
    assert tuple(OUTCOME_MARKS) == OUTCOMES
    texts = [outcome_words(make_report(outcome=outcome)) for outcome in OUTCOMES]
    assert len({text[0] for text in texts}) == len(OUTCOMES)
    assert texts[1].endswith("partly: wrong, not the target")
    assert texts[3] == "– already misclassified (label: class 3)"
