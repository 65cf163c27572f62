from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, load
from explorer.experiments.one_image.targets import (
    head_weights,
    least_likely,
    most_confusing,
    nearest,
    random_classes,
)

PROBABILITIES = torch.tensor([0.1, 0.5, 0.25, 0.15])


def classifier(head: nn.Module) -> Classifier:
    return Classifier(
        nn.Sequential(nn.AdaptiveAvgPool2d(1), head, nn.Flatten()),
        labels=list("abcd"),
        input_size=(8, 8),
    )


def test_the_most_confusing_classes_are_the_most_probable_others():
    assert most_confusing(PROBABILITIES, label=1) == [2, 3, 0]
    assert most_confusing(PROBABILITIES, label=2, k=1) == [1]
    assert least_likely(PROBABILITIES, label=0, k=2) == [3, 2]


def test_the_nearest_classes_share_the_labels_direction():
    convolution = nn.Conv2d(3, 4, 1)
    rows = torch.tensor([[1.0, 0, 0], [0.9, 0.1, 0], [-1, 0, 0], [0, 0, 1]])
    convolution.weight = nn.Parameter(rows[:, :, None, None] + 7)  # 7: common to all classes
    model = classifier(convolution)
    assert nearest(model, 0)[0] == 1
    assert nearest(model, 0)[-1] == 2
    assert head_weights(model).shape == (4, 3)


def test_a_module_without_a_row_per_class_has_no_nearest_classes():
    assert nearest(classifier(nn.Conv2d(3, 5, 1)), 0) == []


def test_random_classes_are_determined_by_the_seed_and_never_the_label():
    orders = [tuple(random_classes(10, label=3, seed=seed, k=9)) for seed in range(20)]
    assert all(3 not in order and len(order) == 9 for order in orders)
    assert random_classes(10, 3, seed=5) == random_classes(10, 3, seed=5)
    assert len(set(orders)) > 10


def test_a_real_classifier_has_bears_and_primates_nearest_to_a_panda(squeezenet):
    model = load("torchvision:squeezenet1_1", squeezenet)
    names = [model.labels[index] for index in nearest(model, model.find_label("giant panda"), k=20)]
    bears_and_primates = {
        "ice bear",
        "American black bear",
        "brown bear",
        "sloth bear",
        "lesser panda",
        "indri",
        "colobus",
        "siamang",
    }
    assert bears_and_primates & set(names), names
    with pytest.raises(ValueError, match="no class"):
        model.find_label("unicorn")
