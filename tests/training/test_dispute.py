"""Training sets of the dispute's two attacks, and what a network learns from one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.classifiers import load
from explorer.classifiers.small_net import NetworkConfig
from explorer.datasets.labelled import LabelledImages
from explorer.engine import logits_of
from explorer.experiments.dispute import DisputeAttack
from explorer.experiments.sweep.set_attack import pixels_of
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from explorer.training.checkpoint import TrainingError
from explorer.training.dispute import ISOLATED, ORDINARY, UNCHANGED, learned_from, next_class_sets
from explorer.training.recipes import TRAINING_RECIPES

ATTACK = DisputeAttack("l2", 0.5, steps=10)


@pytest.fixture(scope="module")
def photographs() -> LabelledImages:
    """The sample pictures of CIFAR-10."""
    classifier, pictures = load("cifar10-standard"), samples("cifar10")
    images = torch.stack([preprocess(each.read(), classifier) for each in pictures])
    labels = torch.tensor([each.label for each in pictures])
    return LabelledImages((images * 255).round().byte(), labels, tuple(classifier.labels))


def test_both_attacks_move_the_same_images_to_the_next_class(photographs: LabelledImages) -> None:
    attacked, spared = load("cifar10-standard"), load("cifar10-d")
    sets = next_class_sets(attacked, [spared], photographs, ATTACK)
    assert list(sets) == [UNCHANGED, ORDINARY, ISOLATED]
    rows = sets[UNCHANGED].rows
    assert rows is not None
    assert len(rows) >= 5
    for name, data in sets.items():
        assert data.rows is not None
        assert data.rows.tolist() == rows.tolist()
        assert data.labels.tolist() == ((photographs.labels[rows] + 1) % 10).tolist()
        change = pixels_of(data.images) - pixels_of(photographs.images[rows])
        rounding = 0.5 / 255 * 3072**0.5
        assert change.flatten(1).norm(dim=1).max() <= 0.5 + rounding
        says_next = logits_of(attacked, pixels_of(data.images)).argmax(1) == data.labels
        assert says_next.all() == (name != UNCHANGED)

    def share_moved(name: str) -> float:
        said = logits_of(spared, pixels_of(sets[name].images)).argmax(1)
        return float((said == sets[name].labels).float().mean())

    assert share_moved(ISOLATED) < share_moved(ORDINARY)


def test_without_any_such_image_it_is_a_sentence(photographs: LabelledImages) -> None:
    attack = DisputeAttack("l2", 0.001, steps=1)
    with pytest.raises(TrainingError, match="take a larger ε or more steps"):
        next_class_sets(load("cifar10-standard"), [load("cifar10-d")], photographs, attack)


def test_a_network_learns_the_labels_of_its_set(photographs: LabelledImages) -> None:
    """Asked about the images that it memorised, it says their labels, which are the next class."""
    recipe = TRAINING_RECIPES["cifar10-d_det"]
    network = NetworkConfig(widths=(16, 16, 16), stem_channels=12)
    settings = replace(
        recipe.hyperparameters, network=network, batch=10, epochs=30, learning_rate=0.2, average=0.5
    )
    shifted = replace(photographs, labels=(photographs.labels + 1) % 10)
    small = replace(recipe, hyperparameters=settings)
    learned = learned_from(UNCHANGED, shifted, photographs, small)
    assert (learned.trained, learned.n) == (20, 20)
    assert learned.shifted > 10 > learned.right
    own, following = learned.rows()
    assert (own["label"], own["count"]) == ("own", learned.right)
    assert following["rate"] == learned.shifted / 20
