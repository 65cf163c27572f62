"""What classifiers believe of a set's labels."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.evaluation import label_confidence as set_beliefs
from explorer.experiments.evaluation.label_confidence import disagreement, label_confidence


def linear(seed: int) -> Classifier:
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 4))
    return Classifier(module, labels="abcd", input_size=(8, 8))


@pytest.fixture
def images() -> torch.Tensor:
    return torch.randint(
        0, 256, (11, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0)
    )


def test_it_is_the_probability_of_the_label_whatever_the_batches(images, monkeypatch):
    labels, models = torch.arange(11) % 4, (linear(0), linear(1))
    monkeypatch.setattr(set_beliefs, "BATCH_VALUES", 3 * 3 * 8 * 8)
    seen: list[tuple[int, int]] = []
    found = label_confidence(
        models, images, labels, on_done=lambda *progress: seen.append(progress)
    )
    for row, model in zip(found, models, strict=True):
        torch.testing.assert_close(
            row, model(images.float() / 255).softmax(1)[torch.arange(11), labels].detach()
        )
    assert seen == [(3, 11), (6, 11), (9, 11), (11, 11)]
    assert torch.equal(disagreement(found), (found[0] - found[1]).abs())


def test_it_stops_when_asked(images):
    with pytest.raises(Cancelled):
        label_confidence(
            [linear(0)], images, torch.zeros(11, dtype=torch.int64), cancelled=lambda: True
        )
