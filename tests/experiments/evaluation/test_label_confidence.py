"""How confident classifiers are in the labels of a set."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.evaluation import label_confidence as module
from explorer.experiments.evaluation.label_confidence import disagreement, label_confidence


def linear(seed: int) -> Classifier:
    torch.manual_seed(seed)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4))
    return Classifier(layers, labels=list("abcd"), input_size=(8, 8))


@pytest.fixture
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (11, 3, 8, 8), dtype=torch.uint8, generator=generator)


def test_it_is_the_probability_of_the_label_for_any_batch_size(images, monkeypatch):
    labels, classifiers = torch.arange(11) % 4, (linear(0), linear(1))
    monkeypatch.setattr(module, "BATCH_VALUES", 3 * 3 * 8 * 8)
    progress: list[tuple[int, int]] = []
    confidence = label_confidence(
        classifiers, images, labels, on_progress=lambda done, total: progress.append((done, total))
    )
    for row, classifier in zip(confidence, classifiers, strict=True):
        probabilities = classifier(images.float() / 255).softmax(1).detach()
        torch.testing.assert_close(row, probabilities[torch.arange(11), labels])
    assert progress == [(3, 11), (6, 11), (9, 11), (11, 11)]
    assert torch.equal(disagreement(confidence), (confidence[0] - confidence[1]).abs())


def test_cancelling_raises(images):
    labels = torch.zeros(11, dtype=torch.int64)
    with pytest.raises(Cancelled):
        label_confidence([linear(0)], images, labels, cancelled=lambda: True)
