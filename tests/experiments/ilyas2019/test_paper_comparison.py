"""The claim's verdicts follow from the figures, whichever way they fall."""

from dataclasses import replace

import pytest

from explorer.classifiers.catalogue import bundled
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.experiments.evaluation.auto_pgd import APGD
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.ilyas2019.paper_comparison import (
    EPSILONS,
    gains,
    paper_comparison,
    rank_agreement,
)

CORRECT = {
    "cifar10-d": (950, 45, 0),
    "cifar10-robust": (908, 825, 709),
    "cifar10-d_r": (854, 482, 218),
    "cifar10-d_nr": (877, 8, 0),
    "cifar10-d_rand": (633, 0, 0),
    "cifar10-d_det": (437, 0, 0),
}


def cards(correct, n=1000, attack=PGD):
    made = {}
    for name, values in correct.items():
        rows = tuple(
            Accuracy(
                "test",
                n,
                "l2",
                epsilon,
                20,
                value / n,
                *wilson(value, n),
                attack if epsilon else PGD,
            )
            for epsilon, value in zip(EPSILONS, values, strict=True)
        )
        made[name] = replace(bundled()["cifar10-standard"], name=name, accuracy=rows)
    return made


def test_the_papers_own_figures_confirm_its_order():
    rows = paper_comparison(cards(CORRECT))
    clean = rank_agreement(rows, 0.0)
    assert not clean.against
    assert ("D", "D_rand") in clean.agree
    assert ("D_rand", "D_det") in clean.agree
    assert ("D_R", "D") in rank_agreement(rows, 0.25).agree


def test_the_other_way_round_is_said_so():
    rows = paper_comparison(cards({**CORRECT, "cifar10-d_det": (990, 0, 0)}))
    assert {worse for _, worse in rank_agreement(rows, 0.0).against} == {"D_det"}


def test_overlapping_intervals_decide_nothing():
    rows = paper_comparison(cards({"cifar10-d": (95, 4, 0), "cifar10-robust": (91, 82, 71)}, n=100))
    found = rank_agreement(rows, 0.0)
    assert found.undecided == (("D", "D (adversarial)"),)
    assert not found.agree


def test_nothing_is_said_of_classifiers_that_are_not_there():
    rows = paper_comparison({})
    assert [row.card for row in rows] == [None] * 8
    assert (
        rank_agreement(rows, 0.0).agree
        == rank_agreement(rows, 0.0).undecided
        == rank_agreement(rows, 0.0).against
        == ()
    )
    assert gains(rows) == ()


@pytest.mark.parametrize("attack", [PGD, APGD])
def test_the_gain_of_d_r_over_d_is_a_ratio_of_accuracies(attack):
    found = gains(paper_comparison(cards(CORRECT, attack=attack)))
    assert [(gain.epsilon, gain.attack) for gain in found] == [(0.25, attack), (0.5, attack)]
    assert found[0].ratio == pytest.approx(482 / 45)
    assert found[1].ratio is None
    assert all(gain.augmented for gain in found)


def test_a_gain_compares_those_that_were_trained_alike():
    plain = {"cifar10-d-plain": (800, 4, 0), "cifar10-d_r-plain": (550, 220, 60)}
    found = gains(paper_comparison(cards({**CORRECT, **plain})))
    assert [(gain.epsilon, gain.augmented) for gain in found] == [
        (0.25, True),
        (0.5, True),
        (0.25, False),
        (0.5, False),
    ]
    assert found[2].ratio == pytest.approx(220 / 4)
