"""Small models whose best attack is known in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier

SIDE = 6


class Linear(nn.Module):
    """Logits W x + b of the flattened image."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.layer = nn.Linear(weight.shape[1], weight.shape[0])
        self.layer.weight.data, self.layer.bias.data = weight, bias

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images.flatten(1))


def linear_classifier(classes: int = 2, scale: float = 1.0, seed: int = 0) -> Classifier:
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(classes, 3 * SIDE * SIDE, generator=generator) * scale
    # Centred so that mid-grey is undecided, and images near it have room on every side.
    bias = -weight @ torch.full((weight.shape[1],), 0.5)
    labels = [f"class {i}" for i in range(classes)]
    return Classifier(Linear(weight, bias), labels=labels, input_size=(SIDE, SIDE))


class SmoothNet(nn.Module):
    """A small smooth network; its batch norm and dropout make the mode matter."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.SiLU(),
            nn.Dropout(0.5),
            nn.Flatten(),
            nn.Linear(8 * SIDE * SIDE, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.body(images)


def smooth_classifier(classes: int = 5, seed: int = 0) -> Classifier:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = SmoothNet(classes)
    labels = [f"class {i}" for i in range(classes)]
    return Classifier(
        module.eval(), labels=labels, input_size=(SIDE, SIDE), mean=(0.5,) * 3, std=(0.25,) * 3
    )


def grey_images(n: int, spread: float = 0.05, seed: int = 1) -> Tensor:
    """Images near mid-grey, far from the bounds of [0, 1]: [n, 3, SIDE, SIDE]."""
    generator = torch.Generator().manual_seed(seed)
    return 0.5 + spread * torch.randn(n, 3, SIDE, SIDE, generator=generator)


def any_images(n: int, seed: int = 1, side: int = SIDE) -> Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(seed))


def labels_of(classifier: Classifier, images: Tensor) -> Tensor:
    """The classes predicted for ``images``, on the images' device."""
    with torch.no_grad():
        return classifier(images.to(classifier.device)).argmax(dim=1).to(images.device)


def fgsm(threat: Threat) -> PGD:
    """The fast gradient sign method (Goodfellow et al. 2015): one full step from the image."""
    options = {"random_start": False, "keep": "last", "precision": "float32"}
    return PGD(threat, steps=1, step_size=threat.epsilon, **options)
