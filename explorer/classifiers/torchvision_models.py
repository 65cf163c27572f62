"""Published classifiers as networks: torchvision's architectures, each with the preprocessing its weights were made for."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torchvision import models
from torchvision.models import WeightsEnum, get_model, get_model_weights, list_models

from explorer.classifiers.checkpoint import Checkpoint, load_weights, read_checkpoint
from explorer.classifiers.classifier import Classifier, ClassifierError, freeze
from explorer.classifiers.imagenet import ROBUST_PREFIX, TORCHVISION_PREFIX, Robust, robust_model

# What the published weights were trained with but the bare constructor does not set. The auxiliary heads are built so that
# the state dict fits; in evaluation mode they are not run.
CONSTRUCTION: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True, "aux_logits": True, "init_weights": False},
    "inception_v3": {"transform_input": True, "aux_logits": True, "init_weights": False},
}
IMAGENET = 1000  # classes
ROBUST_CROP, ROBUST_RESIZE = 224, 256  # the robustness library's test transform


def published_classifier(name: str, path: Path, device: torch.device) -> Classifier:
    """``torchvision:ARCHITECTURE`` or ``madry:NAME`` with the weights in ``path``. Raises :class:`ClassifierError`."""
    if name.startswith(ROBUST_PREFIX):
        return _robust(robust_model(name), path, device)
    architecture = name.removeprefix(TORCHVISION_PREFIX)
    record = weights_record(architecture, path.name)
    checkpoint = read_checkpoint(path)
    preset = record.transforms()
    return Classifier(
        freeze(build(architecture, checkpoint, architecture), device),
        labels=record.meta["categories"],
        input_size=(preset.crop_size[0],) * 2,
        mean=checkpoint.mean or preset.mean,
        std=checkpoint.std or preset.std,
        resize=preset.resize_size[0],
        interpolation=preset.interpolation.value,
        name=name,
        title=architecture,
    )


def architectures() -> tuple[str, ...]:
    """The names of torchvision's classifiers."""
    return tuple(list_models(module=models))


def check_architecture(architecture: str) -> None:
    """Raises :class:`ClassifierError` when torchvision has no classifier of that name."""
    known = architectures()
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, n=3)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else "see torchvision.models for the names"
        )
        raise ClassifierError(f"torchvision has no classifier {architecture!r}; {hint}")


def weights_record(architecture: str, file: str = "") -> WeightsEnum:
    """What torchvision says of the weights in ``file``, or of its best ones where that is no file of its own: an architecture may have
    been published more than once, with other preprocessing and other figures. Raises :class:`ClassifierError`."""
    check_architecture(architecture)
    records = get_model_weights(architecture)
    return next((each for each in records if Path(each.url).name == file), records.DEFAULT)


def _robust(entry: Robust, path: Path, device: torch.device) -> Classifier:
    checkpoint = read_checkpoint(path)
    record = weights_record(entry.architecture)
    preset = record.transforms()
    return Classifier(
        freeze(build(entry.architecture, checkpoint, entry.name), device),
        labels=record.meta["categories"],
        input_size=(ROBUST_CROP, ROBUST_CROP),
        mean=checkpoint.mean or preset.mean,
        std=checkpoint.std or preset.std,
        resize=ROBUST_RESIZE,
        name=ROBUST_PREFIX + entry.name,
        title=f"{entry.architecture}, robust: {entry.threat}",
        robust=True,
    )


def build(
    architecture: str, checkpoint: Checkpoint, what: str, classes: int = IMAGENET
) -> nn.Module:
    """The architecture with these weights. Raises :class:`ClassifierError`, naming ``what``, when they don't fit."""
    module = build_untrained(architecture, checkpoint, classes)
    load_weights(module, checkpoint.state, what)
    return module


def build_untrained(architecture: str, checkpoint: Checkpoint, classes: int) -> nn.Module:
    """The architecture as these weights need it, untrained."""
    options = dict(CONSTRUCTION.get(architecture, {}))
    if "aux_logits" in options:
        options["aux_logits"] = any(
            name.startswith(("aux1.", "AuxLogits.")) for name in checkpoint.state
        )
    module: nn.Module = get_model(architecture, weights=None, num_classes=classes, **options)
    return module


def imagenet_labels() -> tuple[str, ...]:
    """The names of ImageNet's thousand classes, in order."""
    return tuple(get_model_weights("resnet18").DEFAULT.meta["categories"])
