"""The comparison with the paper follows from the accuracies on the cards."""

from dataclasses import replace

import pytest

from explorer.classifiers.catalogue import bundled_cards
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
    """Model cards with these counts of correct images, of ``n``, at each of ``EPSILONS``."""
    template = bundled_cards()["cifar10-standard"]
    cards = {}
    for name, counts in correct.items():
        rows = []
        for epsilon, count in zip(EPSILONS, counts, strict=True):
            how = attack if epsilon else PGD
            low, high = wilson(count, n)
            rows.append(Accuracy("test", n, "l2", epsilon, 20, count / n, low, high, how))
        cards[name] = replace(template, name=name, accuracy=tuple(rows))
    return cards


def test_the_papers_own_figures_confirm_its_order():
    rows = paper_comparison(cards(CORRECT))
    clean = rank_agreement(rows, 0.0)
    assert not clean.against
    assert ("D", "D_rand") in clean.agree
    assert ("D_rand", "D_det") in clean.agree
    assert ("D_R", "D") in rank_agreement(rows, 0.25).agree


def test_a_pair_in_the_other_order_is_against():
    rows = paper_comparison(cards({**CORRECT, "cifar10-d_det": (990, 0, 0)}))
    assert {worse for _, worse in rank_agreement(rows, 0.0).against} == {"D_det"}


def test_overlapping_intervals_are_undecided():
    rows = paper_comparison(cards({"cifar10-d": (95, 4, 0), "cifar10-robust": (91, 82, 71)}, n=100))
    agreement = rank_agreement(rows, 0.0)
    assert agreement.undecided == (("D", "D (adversarial)"),)
    assert not agreement.agree


def test_without_classifiers_there_is_nothing_to_compare():
    rows = paper_comparison({})
    assert [row.card for row in rows] == [None] * 8
    agreement = rank_agreement(rows, 0.0)
    assert agreement.agree == agreement.undecided == agreement.against == ()
    assert gains(rows) == ()


@pytest.mark.parametrize("attack", [PGD, APGD])
def test_the_gain_of_d_r_over_d_is_a_ratio_of_accuracies(attack):
    measured = gains(paper_comparison(cards(CORRECT, attack=attack)))
    assert [(gain.epsilon, gain.attack) for gain in measured] == [(0.25, attack), (0.5, attack)]
    ratio = measured[0].ratio
    assert ratio.value == pytest.approx(482 / 45)
    assert ratio.low < ratio.value < ratio.high
    assert measured[1].ratio is None
    assert all(gain.augmented for gain in measured)


def test_a_gain_compares_classifiers_trained_in_the_same_way():
    plain = {"cifar10-d-plain": (800, 4, 0), "cifar10-d_r-plain": (550, 220, 60)}
    measured = gains(paper_comparison(cards({**CORRECT, **plain})))
    assert [(gain.epsilon, gain.augmented) for gain in measured] == [
        (0.25, True),
        (0.5, True),
        (0.25, False),
        (0.5, False),
    ]
    assert measured[2].ratio is None  # 4 images of 1,000 are too few
    assert measured[0].ratio is not None
