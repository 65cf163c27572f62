"""The sentences beside the paper's comparison state what the model cards say, and no more."""

from __future__ import annotations

from dataclasses import replace

from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.model_card import PGD, Accuracy
from explorer.experiments.ilyas2019.paper_comparison import Gain, paper_comparison
from explorer.ui.datasets.paper_comparison import conditions, gain_sentence, order_sentence


def accuracy(value: float) -> Accuracy:
    return Accuracy("test", 500, "l2", 0.25, 20, value, max(0.0, value - 0.03), value + 0.03)


def test_a_gain_that_rests_on_few_images_says_so():
    gain = Gain(0.25, PGD, accuracy(0.6), accuracy(0.2))
    sentence = gain_sentence(gain)
    assert sentence.startswith("With augmentation, under PGD")
    assert sentence.endswith(
        "D_R keeps 60.0 %, D 20.0 %: 3.0 times as many (95 % interval 2.5 to 3.6)."
    )
    assert gain_sentence(replace(gain, augmented=False)).startswith("Without augmentation")
    for few, words in ((0.0, "0.0 % (0 images of 500)"), (0.002, "0.2 % (1 image of 500)")):
        sentence = gain_sentence(replace(gain, d=accuracy(few)))
        assert sentence.endswith(f"D {words}: too few images for a ratio.")


def test_reversed_pairs_are_named():
    cards = dict(bundled_cards())
    better = replace(cards["cifar10-d_rand"], accuracy=(replace(accuracy(0.9), epsilon=0.0),))
    rows = paper_comparison({**cards, "cifar10-d_rand": better})
    assert order_sentence(rows, 0.0).endswith("D_NR and D_rand are reversed.")
    nothing = "**On unchanged images** there is nothing to compare."
    assert order_sentence(paper_comparison({}), 0.0) == nothing


def test_the_conditions_are_those_on_the_cards():
    text = conditions(paper_comparison(bundled_cards()))
    card = bundled_cards()["cifar10-d_r"]
    assert f"D_R {card.recipe['images']:,}" in text
    assert f"D_R {card.recipe['set']['construction']['steps']}" in text
    assert f"{card.parameters / 1e6:.1f} million parameters" in text
