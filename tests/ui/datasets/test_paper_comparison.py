"""The words beside the claim's figure say what the cards say, and no more."""

from __future__ import annotations

from dataclasses import replace

from explorer.classifiers.catalogue import bundled
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.experiments.ilyas2019.paper_comparison import Gain, paper_comparison
from explorer.ui.datasets.paper_comparison import conditions, gain_sentence, order_sentence


def accuracy(value: float) -> Accuracy:
    return Accuracy("test", 500, "l2", 0.25, 20, value, max(0.0, value - 0.03), value + 0.03)


def test_a_gain_over_nothing_is_no_ratio():
    assert gain_sentence(Gain(0.25, PGD, accuracy(0.2), accuracy(0.0))).endswith(
        "D_R keeps 20.0 %, where D keeps none."
    )
    assert gain_sentence(Gain(0.25, PGD, accuracy(0.6), accuracy(0.2))).startswith(
        "With augmentation, under PGD"
    )
    assert gain_sentence(Gain(0.25, PGD, accuracy(0.6), accuracy(0.2), False)).endswith(
        "D_R keeps 60.0 %, 3.0 times D's 20.0 %."
    )


def test_pairs_that_came_out_otherwise_are_named():
    cards = dict(bundled())
    better = replace(cards["cifar10-d_rand"], accuracy=(replace(accuracy(0.9), epsilon=0.0),))
    assert "the other way round for" in order_sentence(
        paper_comparison({**cards, "cifar10-d_rand": better}), 0.0
    )
    assert (
        order_sentence(paper_comparison({}), 0.0)
        == "**On clean images** there is nothing to compare."
    )


def test_the_conditions_are_those_on_the_cards():
    said = conditions(paper_comparison(bundled()))
    card = bundled()["cifar10-d_r"]
    assert f"D_R {card.recipe['images']:,}" in said
    assert f"D_R {card.recipe['set']['construction']['steps']}" in said
    assert f"{card.parameters / 1e6:.1f} million parameters" in said
