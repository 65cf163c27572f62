"""The network of a model that a person added: a known architecture with the person's weights.

Nothing of it is in memory before :func:`network_bytes` has said how much it takes: a small file can
name the largest architecture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from explorer.classifiers.checkpoint import Checkpoint
from explorer.classifiers.cifar_networks import CIFAR_PREFIX
from explorer.classifiers.class_labels import repeated_note
from explorer.classifiers.classifier import Classifier, freeze
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.fitting import under_prefix
from explorer.classifiers.input_channels import check_takes_colour, takes_grey
from explorer.classifiers.user_model_card import UserModelCard

_GREY = (
    "these weights take grey images: give one number as mean and one as standard deviation, such "
    "as 0.1307 and 0.3081 for MNIST"
)
_COLOUR = (
    "these weights take images in colour: give three numbers as mean and three as standard "
    "deviation, such as 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225"
)


def network_bytes(card: UserModelCard, checkpoint: Checkpoint) -> int:
    """The bytes of the weights and buffers of the network, in memory and in its stored file.

    Raises :class:`ClassifierError` when there is no such architecture.
    """
    classes = class_count(card.architecture, checkpoint)
    tensors = _shapes(card.architecture, checkpoint, classes).values()
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def build_user_model(
    card: UserModelCard, checkpoint: Checkpoint, device: torch.device
) -> Classifier:
    """The card's architecture with these weights and as many classes as they have.

    A normalisation in the checkpoint replaces the card's. Raises :class:`ClassifierError` when the
    weights do not fit the architecture or the labels.
    """
    from explorer.classifiers.architectures import (  # 1.8 s to import
        build,
        classifier_around,
        labels_for,
    )
    from explorer.classifiers.torchvision_models import INCEPTIONS

    classes = class_count(card.architecture, checkpoint)
    module = build(card.architecture, checkpoint, card.architecture, classes)
    labels = card.labels or labels_for(card.architecture, classes)
    if len(labels) != classes:
        raise ClassifierError(
            f"the weights have {classes} classes and there are {len(labels)} labels; give one "
            "label for each class, in order"
        )
    mean, std = checkpoint.mean or card.mean, checkpoint.std or card.std
    if takes_grey(module) != (len(mean) == 1):
        raise ClassifierError(_GREY if takes_grey(module) else _COLOUR)
    inception = {"transform_input": card.transform_input} if card.architecture in INCEPTIONS else {}
    classifier = classifier_around(
        freeze(module, device),
        card.architecture,
        **inception,
        labels=labels,
        input_size=(card.input_size, card.input_size),
        mean=mean,
        std=std,
        resize=card.resize,
        name=USER_PREFIX + card.name,
        title=card.name,
        robust=card.robust,
        gallery="cifar10" if card.architecture.startswith(CIFAR_PREFIX) else "imagenet",
    )
    if note := repeated_note(classifier.labels, card.name):
        classifier.notes += (note,)
    return classifier


def cifar_classifier(architecture: str, checkpoint: Checkpoint, device: torch.device) -> Classifier:
    """A CIFAR architecture with these weights and the architecture's own preprocessing.

    Raises :class:`ClassifierError`, also when the weights do not fit.
    """
    from explorer.classifiers.architectures import build, labels_for, preprocessing

    classes = class_count(architecture, checkpoint)
    module = build(architecture, checkpoint, architecture, classes)
    check_takes_colour(module, architecture)
    return Classifier(
        freeze(module, device),
        labels=labels_for(architecture, classes),
        name=architecture,
        **preprocessing(architecture, checkpoint),
    )


def class_count(architecture: str, checkpoint: Checkpoint) -> int:
    """The length of the tensors that take the place of those with the published number of outputs.

    Raises :class:`ClassifierError` when there is no such architecture.
    """
    from explorer.classifiers.architectures import check_architecture, published_classes

    check_architecture(architecture)
    published = published_classes(architecture)
    expected = _shapes(architecture, checkpoint, published)
    state = under_prefix(checkpoint.state, expected)
    counts = {
        len(state[name])
        for name, value in expected.items()
        if value.dim() and len(value) == published
        if name in state and state[name].dim() and state[name].shape[1:] == value.shape[1:]
    }
    # If no single number is found, load_weights will say what does not fit.
    return counts.pop() if len(counts) == 1 else published


class _EmptyWithoutMemory(TorchFunctionMode):
    """Makes ``torch.empty``, with which layers begin, return tensors that have only a shape.

    With ``torch.device("meta")`` everything is so, also the numbers from which RegNets compute
    their widths.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Iterable[Any] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.empty and kwargs.get("device") is None:
            kwargs["device"] = "meta"
        return func(*args, **kwargs)


def _shapes(architecture: str, checkpoint: Checkpoint, classes: int) -> dict[str, Tensor]:
    """The state dict of the architecture, with next to no memory behind its tensors."""
    from explorer.classifiers.architectures import build_untrained

    with _EmptyWithoutMemory():
        state: dict[str, Tensor] = build_untrained(architecture, checkpoint, classes).state_dict()
    return state
