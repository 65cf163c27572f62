"""A classifier that is quick to attack, and the attack on it."""

from __future__ import annotations

import torch
from torch import nn

from explorer.benchmarks.baselines import Setting
from explorer.classifiers import Classifier

SETTING = Setting(epsilon=4 / 255, steps=2)


class TinyNet(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 10)

    def forward(self, images):
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))


def tiny_classifier() -> Classifier:
    """Ten classes, images of 16 × 16 pixels."""
    return Classifier(
        TinyNet().eval().requires_grad_(False),
        labels=[str(i) for i in range(10)],
        input_size=(16, 16),
        gallery="cifar10",
        name="tiny",
    )
