from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import explorer
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import OUTCOMES, AttackReport
from explorer.figures.captions import (
    attack_caption,
    confidence_text,
    hundredths,
    levels,
    measurements_caption,
    outcome_caption,
    percent,
)
from explorer.figures.charts import percent_ticks
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
def test_a_share_is_never_rounded_to_0_or_100_percent(probability: float, text: str) -> None:
    assert percent(probability) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.004, "0.00"), (-0.0, "0.00"), (0.125001, "0.13"), (-0.123, "−0.12"), (1.0, "1.00")],
)
def test_two_decimals_have_a_minus_sign_and_no_negative_zero(value: float, text: str) -> None:
    assert hundredths(value) == text


@pytest.mark.parametrize("gap", [0.5, 3.0, 8.0, 20.0, 200.0])
def test_a_confidence_is_neither_0_nor_100_percent(gap: float) -> None:
    """float32 rounds a softmax to 0 and 1 from a gap of about 17 and 104 on."""
    low, high = (confidence_text(float(each)) for each in torch.tensor([0.0, gap]).softmax(0))
    assert (low == "< 0.1 %") == (gap > 7.6)
    assert (high == "> 99.9 %") == (gap > 7.6)
    assert not {low, high} & {"0.0 %", "100.0 %"}


def test_ticks_have_the_space_that_all_other_per_cents_have() -> None:
    assert percent_ticks(0, 0.25, 1) == {
        "tickvals": [0, 0.25, 1],
        "ticktext": ["0 %", "25 %", "100 %"],
    }


def test_nothing_prints_a_per_cent_of_its_own() -> None:
    """Python's own format, as in ``{share:.1%}``, rounds to 100 % and leaves out the space."""
    own = re.compile(r":\.\d%\}|tickformat=\"\.\d%")
    sources = (Path(explorer.__file__).parent).rglob("*.py")
    assert not [path.name for path in sources if own.search(path.read_text(encoding="utf-8"))]


def test_the_caption_names_every_setting_that_is_not_the_default() -> None:
    recipe = Recipe("gallery:x", "m", "linf", 0.007, 1)
    assert attack_caption(recipe, None) == "PGD, 1 step, L∞, ε = 1.785/255, untargeted"
    assert attack_caption(recipe.fgsm(), None) == "FGSM, L∞, ε = 1.785/255, untargeted"
    other = replace(recipe, norm="l2", epsilon=0.5, steps=40, restarts=3, loss="cw")
    assert (
        attack_caption(other, "gibbon")
        == "PGD, 40 steps, margin loss, 3 restarts, L2, ε = 0.5, target: gibbon"
    )


def test_measurements_have_their_names(make_report: MakeReport) -> None:
    report = replace(make_report(), linf=4 / 255, l2=1.5321, ssim=0.98149)
    assert measurements_caption(report) == "measured L∞ 4/255, L2 1.53, SSIM 0.981"


def test_a_measured_distance_has_four_digits() -> None:
    assert [levels(value) for value in (0.0, 8 / 255, 0.007, 0.0377631)] == [
        "0/255",
        "8/255",
        "1.785/255",
        "9.63/255",
    ]


def test_every_outcome_has_a_different_icon_and_a_word(make_report: MakeReport) -> None:
    assert tuple(OUTCOME_MARKS) == OUTCOMES
    texts = [outcome_caption(make_report(outcome=outcome)) for outcome in OUTCOMES]
    assert len({text[0] for text in texts}) == len(OUTCOMES)
    assert texts[1].endswith("partly: wrong, not the target")
    assert texts[3] == "– already misclassified (label: class 3)"
