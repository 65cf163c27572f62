"""A classifier that builds sets in a moment, one with a linear representation, and images."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages

CLASSES = ("cat", "dog", "ship")
SIDE = 8


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, stride=2),
            nn.ReLU(),
        )
        self.head = nn.Linear(72, len(CLASSES))

    def features(self, images):
        return self.body(images).flatten(1)

    def forward(self, images):
        return self.head(self.features(images))


class Linear(nn.Module):
    """g(x) = W x, with orthonormal rows."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        weight = torch.randn(
            3 * SIDE * SIDE, dimensions, generator=torch.Generator().manual_seed(5)
        )
        self.weight = nn.Parameter(torch.linalg.qr(weight).Q.T.contiguous(), requires_grad=False)
        self.head = nn.Linear(dimensions, len(CLASSES))

    def features(self, images):
        return images.flatten(1) @ self.weight.T

    def forward(self, images):
        return self.head(self.features(images))


def wrapped(module: nn.Module) -> Classifier:
    return Classifier(
        module.eval().requires_grad_(False), labels=CLASSES, input_size=(SIDE, SIDE), name="tiny"
    )


@pytest.fixture
def tiny() -> Classifier:
    torch.manual_seed(0)
    return wrapped(Net())


@pytest.fixture
def linear() -> Classifier:
    torch.manual_seed(0)
    return wrapped(Linear(20))


@pytest.fixture
def pictures() -> LabelledImages:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (40, 3, SIDE, SIDE), dtype=torch.uint8, generator=generator)
    return LabelledImages(images, torch.randint(3, (40,), generator=generator), CLASSES)
