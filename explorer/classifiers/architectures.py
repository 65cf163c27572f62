"""The architectures to which a person can bring weights: torchvision's, and networks for CIFAR.

Importing this module imports torchvision, which takes 1.8 s.
"""

from __future__ import annotations

from typing import Any

from torch import nn

from explorer.classifiers import torchvision_models
from explorer.classifiers.checkpoint import Checkpoint
from explorer.classifiers.cifar_networks import (
    CIFAR_NETWORKS,
    CIFAR_PREFIX,
    CIFAR_SIZE,
    used_tensors,
)
from explorer.classifiers.classifier import RGB, Classifier
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.fitting import load_weights
from explorer.classifiers.imagenet import IMAGENET_MEAN, IMAGENET_STD
from explorer.classifiers.input_channels import with_input_of
from explorer.errors import did_you_mean, short
from explorer.images.gallery import CIFAR10_NAMES


def architectures() -> tuple[str, ...]:
    """The names of all of them."""
    return (*CIFAR_NETWORKS, *torchvision_models.architectures())


def check_architecture(architecture: str) -> None:
    """Raises :class:`ClassifierError` when there is none of that name."""
    if not architecture.startswith(CIFAR_PREFIX):
        torchvision_models.check_architecture(architecture)
    elif architecture not in CIFAR_NETWORKS:
        hint = did_you_mean(architecture, CIFAR_NETWORKS) or f"use {', '.join(CIFAR_NETWORKS)}"
        raise ClassifierError(f"there is no architecture {short(architecture)!r}; {hint}")


def published_classes(architecture: str) -> int:
    """How many classes its published weights have."""
    is_cifar = architecture in CIFAR_NETWORKS
    return len(CIFAR10_NAMES) if is_cifar else torchvision_models.IMAGENET_CLASSES


def labels_for(architecture: str, classes: int) -> tuple[str, ...]:
    """The names of the published weights' classes if there are as many, else numbers."""
    if classes != published_classes(architecture):
        return tuple(f"class {index}" for index in range(classes))
    is_cifar = architecture in CIFAR_NETWORKS
    return CIFAR10_NAMES if is_cifar else torchvision_models.imagenet_labels()


def published_preprocessing(architecture: str) -> tuple[int, int, RGB, RGB]:
    """Input size, shorter side, mean and standard deviation that most weights of it have."""
    network = CIFAR_NETWORKS.get(architecture)
    if network is None:
        return 224, 256, IMAGENET_MEAN, IMAGENET_STD
    return CIFAR_SIZE, CIFAR_SIZE, network.mean, network.std


def preprocessing(architecture: str, checkpoint: Checkpoint) -> dict[str, Any]:
    """The preprocessing of a CIFAR architecture, as options of a classifier.

    Its normalisation is the checkpoint's if that has one.
    """
    network = CIFAR_NETWORKS[architecture]
    return {
        "input_size": (CIFAR_SIZE, CIFAR_SIZE),
        "resize": CIFAR_SIZE,
        "mean": checkpoint.mean or network.mean,
        "std": checkpoint.std or network.std,
        "gallery": "cifar10",
    }


def build_untrained(architecture: str, checkpoint: Checkpoint, classes: int) -> nn.Module:
    """The network as these weights need it: some layouts leave parts out."""
    if architecture in CIFAR_NETWORKS:
        module = CIFAR_NETWORKS[architecture].build(classes, checkpoint)
        return with_input_of(module, used_tensors(checkpoint.state))
    return torchvision_models.build_untrained(architecture, checkpoint, classes)


def build(architecture: str, checkpoint: Checkpoint, owner: str, classes: int) -> nn.Module:
    """The network with these weights.

    Raises :class:`ClassifierError`, naming the ``owner`` of the weights, when they don't fit.
    """
    if architecture not in CIFAR_NETWORKS:
        return torchvision_models.build(architecture, checkpoint, owner, classes)
    module = build_untrained(architecture, checkpoint, classes)
    load_weights(module, used_tensors(checkpoint.state), owner)
    return module


def classifier_around(module: nn.Module, architecture: str, **options: Any) -> Classifier:
    """A classifier around the architecture's network; ``options`` are its own."""
    if architecture in CIFAR_NETWORKS:
        return Classifier(module, **options)
    return torchvision_models.classifier_around(module, architecture, **options)
