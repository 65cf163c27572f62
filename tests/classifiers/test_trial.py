"""A network that fails on its first image: what the cause may be stands in the sentence."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, ClassifierError
from explorer.classifiers.trial import trial_run


def network(channels: int, side: int = 8) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        convolution = nn.Conv2d(channels, 2, 3)
        return nn.Sequential(convolution, nn.Flatten(), nn.Linear(2 * (side - 2) ** 2, 2))


@pytest.mark.parametrize(
    ("module", "numbers", "words"),
    [
        (network(1), 3, "give mean and std one number each, for grey images"),
        (network(3), 1, "give mean and std three numbers each, for colour"),
        (network(3, side=12), 3, "its input_size may be another one"),
    ],
)
def test_the_likely_cause_is_named(module: nn.Module, numbers: int, words: str) -> None:
    mean, std = [0.1] * numbers, [0.3] * numbers
    classifier = Classifier(module, labels=["a", "b"], input_size=(8, 8), mean=mean, std=std)
    with pytest.raises(ClassifierError, match=words):
        trial_run(classifier)


def test_a_network_that_fits_has_logits() -> None:
    classifier = Classifier(network(1), labels=["a", "b"], input_size=(8, 8), mean=[0.1], std=[1])
    assert trial_run(classifier).shape == (1, 2)
