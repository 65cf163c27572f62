"""The small convolutional network behind the bundled classifiers.

The shape follows the speed-run networks for CIFAR-10 (Jordan 2024, arXiv 2404.00498): a whitening
stem, three groups of two 3×3 convolutions with batch norm, a global maximum, a linear head. Two
million parameters reach 90 % of CIFAR-10 in about half an hour on two CPU cores, and one attack
step on one image takes a few milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

# A scale below one keeps the head's weights and gradients in a good range early in training
# (Jordan 2024, § 3).
LOGIT_SCALE = 1 / 9


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of a :class:`SmallNet`: its classes, its stem and the ``widths`` of its groups."""

    classes: int = 10
    stem_kernel: int = 2
    stem_stride: int = 1
    stem_channels: int = 24
    widths: tuple[int, int, int] = (64, 256, 256)


CIFAR_NET = NetworkConfig()
TINY_NET = NetworkConfig(
    classes=12, stem_kernel=4, stem_stride=2, stem_channels=32, widths=(64, 256, 384)
)


def _group(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        _norm(outputs),
        nn.SiLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        _norm(outputs),
        nn.SiLU(),
    )


def _norm(channels: int) -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(channels, momentum=0.2)
    # Only the shift is learned: the convolutions before and after can learn the scale.
    norm.weight.requires_grad_(False)
    return norm


class SmallNet(nn.Module):
    """Logits [N, classes] for normalised images [N, 3, H, W].

    H and W may be any size from 20 pixels on (32 for :data:`TINY_NET`).
    """

    def __init__(self, config: NetworkConfig = CIFAR_NET) -> None:
        super().__init__()
        self.config = config
        self.stem = nn.Conv2d(
            3, config.stem_channels, config.stem_kernel, stride=config.stem_stride
        )
        channels = (config.stem_channels, *config.widths)
        self.groups = nn.Sequential(nn.SiLU(), *(_group(a, b) for a, b in pairwise(channels)))
        self.head = nn.Linear(config.widths[-1], config.classes, bias=False)
        for module in self.groups.modules():
            if isinstance(module, nn.Conv2d):
                # A partial identity: the signal passes unchanged through the untrained network.
                nn.init.dirac_(module.weight.data[: module.in_channels])

    def features(self, images: Tensor) -> Tensor:
        """Penultimate activations [N, widths[-1]]: g of Ilyas et al. 2019, eq. 6."""
        activations: Tensor = self.groups(self.stem(images))
        return activations.amax(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(images))
        return logits * LOGIT_SCALE


@torch.no_grad()
def whiten_stem(net: SmallNet, images: Tensor, epsilon: float = 5e-4) -> None:
    """Set the stem to the whitening filters of normalised images [N, 3, H, W].

    The filters are the leading eigenvectors of the images' patches, scaled to unit variance, each
    with both signs (Jordan 2024, § 3.1).
    """
    kernel = net.config.stem_kernel
    patches = images.unfold(2, kernel, kernel).unfold(3, kernel, kernel)
    patches = patches.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * kernel * kernel).double()
    patches = patches - patches.mean(dim=0)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    half = net.config.stem_channels // 2
    values, vectors = values.flip(0)[:half], vectors.flip(1)[:, :half]
    filters = (vectors / torch.sqrt(values + epsilon)).T.reshape(half, 3, kernel, kernel)
    net.stem.weight.copy_(torch.cat([filters, -filters]))
    if net.stem.bias is not None:
        net.stem.bias.zero_()
