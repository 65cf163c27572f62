"""The CIFAR networks of RobustBench and of MadryLab's robustness library, by their layouts.

People bring the files: their tensors have the names that the modules here give theirs. All take
32×32 pixels. RobustBench's take pixels as they are, DeepMind's and MadryLab's files say how theirs
are normalised.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from explorer.classifiers.checkpoint import Checkpoint
from explorer.classifiers.cifar_resnets import BasicBlock, Bottleneck, PreActResNet, ResNet
from explorer.classifiers.cifar_wide_resnets import DeepMindWideResNet, WideResNet
from explorer.classifiers.classifier import RGB

CIFAR_PREFIX = "cifar:"
CIFAR_SIZE = 32
CIFAR10_MEAN, CIFAR10_STD = (0.4914, 0.4822, 0.4465), (0.2471, 0.2435, 0.2616)
_UNUSED = re.compile(r"(?:.*\.)?sub_block1\.")  # TRADES saves a stage that its network never runs


@dataclass(frozen=True)
class CifarNetwork:
    """An architecture: ``build(classes, checkpoint)``, and the normalisation that files lack."""

    build: Callable[[int, Checkpoint], nn.Module]
    mean: RGB = (0.0, 0.0, 0.0)
    std: RGB = (1.0, 1.0, 1.0)


def used_tensors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that a network needs of those in its file."""
    return {name: value for name, value in state.items() if not _UNUSED.match(name)}


def _wide(depth: int, width: int) -> CifarNetwork:
    return CifarNetwork(
        lambda classes, checkpoint: WideResNet(depth, width, classes, _has(checkpoint, "fc.bias"))
    )


def _deepmind(depth: int, width: int) -> CifarNetwork:
    return CifarNetwork(
        lambda classes, _: DeepMindWideResNet(depth, width, classes), CIFAR10_MEAN, CIFAR10_STD
    )


def _preact(shortcut_first: bool) -> CifarNetwork:
    return CifarNetwork(
        lambda classes, checkpoint: PreActResNet(
            classes, shortcut_first, last_norm=_has(checkpoint, "bn.weight")
        )
    )


def _has(checkpoint: Checkpoint, name: str) -> bool:
    return any(f".{each}".endswith(f".{name}") for each in checkpoint.state)


CIFAR_NETWORKS = {
    CIFAR_PREFIX + name: network
    for name, network in {
        "resnet18": CifarNetwork(lambda classes, _: ResNet(BasicBlock, (2, 2, 2, 2), classes)),
        "resnet50": CifarNetwork(lambda classes, _: ResNet(Bottleneck, (3, 4, 6, 3), classes)),
        "preact_resnet18": _preact(shortcut_first=True),
        "preact_resnet18_v2": _preact(shortcut_first=False),
        "wide_resnet_28_10": _wide(28, 10),
        "wide_resnet_34_10": _wide(34, 10),
        "wide_resnet_34_20": _wide(34, 20),
        "wide_resnet_70_16": _wide(70, 16),
        "dm_wide_resnet_28_10": _deepmind(28, 10),
        "dm_wide_resnet_34_20": _deepmind(34, 20),
        "dm_wide_resnet_70_16": _deepmind(70, 16),
    }.items()
}
