"""torchvision's architectures as classifiers, with the preprocessing of their published weights.

Importing this module imports torchvision, which takes 1.8 s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import WeightsEnum, get_model, get_model_weights, list_models

from explorer.classifiers.checkpoint import Checkpoint, read_checkpoint
from explorer.classifiers.classifier import RGB, Classifier, freeze
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.fitting import load_weights
from explorer.classifiers.imagenet import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    ROBUST_PREFIX,
    TORCHVISION_PREFIX,
    robust_model,
)
from explorer.classifiers.input_channels import check_takes_colour, with_input_of
from explorer.errors import did_you_mean, short

IMAGENET_CLASSES = 1000
INCEPTIONS = ("googlenet", "inception_v3")  # published with transform_input: see classifier_around
# The auxiliary heads are built so that the state dict fits; in evaluation mode they are not run.
BUILD_OPTIONS: dict[str, dict[str, Any]] = {
    architecture: {"transform_input": False, "aux_logits": True, "init_weights": False}
    for architecture in INCEPTIONS
}
# Names in published files that torchvision has changed since: of DenseNets and vision transformers.
_OLD_NAMES = (
    (re.compile(r"(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..+)"), r"\1\2"),
    (re.compile(r"(.*\.mlp)\.linear_1\.(.+)"), r"\1.0.\2"),
    (re.compile(r"(.*\.mlp)\.linear_2\.(.+)"), r"\1.3.\2"),
)
_AUXILIARY = re.compile(r"(?:.*\.)?(?:aux1|AuxLogits)\.")
# Published with several sizes of the input: vit_h_14 takes 518×518, vit_b_16 224×224 or 384×384.
_VISION_TRANSFORMER = re.compile(r"vit_[a-z]+_(?P<patch>\d+)")
_POSITIONS = "encoder.pos_embedding"
ROBUST_CROP, ROBUST_RESIZE = 224, 256  # the robustness library's test transform


def published_classifier(
    name: str,
    path: Path,
    device: torch.device,
    read: Callable[[Path], Checkpoint] = read_checkpoint,
) -> Classifier:
    """``torchvision:ARCHITECTURE`` or ``madry:NAME`` with the weights in ``path``.

    ``read`` reads the file; the default is for files that can be trusted. Raises
    :class:`ClassifierError` when there is no such classifier or the weights do not fit.
    """
    robust = robust_model(name) if name.startswith(ROBUST_PREFIX) else None
    architecture = robust.architecture if robust else name.removeprefix(TORCHVISION_PREFIX)
    options = preprocessing(weights_record(architecture, "" if robust else path.name))
    options |= {"name": name, "title": architecture}
    if robust:
        options |= {"input_size": (ROBUST_CROP, ROBUST_CROP), "resize": ROBUST_RESIZE}
        options |= {"title": robust.title, "robust": True}
    checkpoint = read(path)
    module = build(architecture, checkpoint, robust.name if robust else architecture)
    check_takes_colour(module, name)
    options |= {"mean": checkpoint.mean or options["mean"], "std": checkpoint.std or options["std"]}
    return classifier_around(freeze(module, device), architecture, **options)


def classifier_around(
    module: nn.Module,
    architecture: str,
    *,
    mean: Sequence[float],
    std: Sequence[float],
    transform_input: bool = True,
    **options: Any,
) -> Classifier:
    """A classifier around ``module``, built with :data:`BUILD_OPTIONS`; ``options`` are its own.

    ``mean`` and ``std`` are those of torchvision's presets and trainers. The Inceptions take images
    in [−1, 1]: torchvision's ``transform_input`` converts each colour of an image z that was
    normalised with ImageNet's m and s into a·z + b, where a = s / 0.5 and b = (m − 0.5) / 0.5. Here
    the normalisation does both, unless the network was trained without ``transform_input``:
    ((p − mean) / std)·a + b is (p − mean′) / std′ with mean′ = mean − b·std / a and std′ = std / a.
    """
    if architecture in INCEPTIONS and transform_input:
        mean, std = _in_transformed_range(mean, std)
    return Classifier(module, mean=mean, std=std, **options)


def _in_transformed_range(mean: Sequence[float], std: Sequence[float]) -> tuple[RGB, RGB]:
    scale = [s / 0.5 for s in IMAGENET_STD]
    shift = [(m - 0.5) / 0.5 for m in IMAGENET_MEAN]
    colours = zip(mean, std, scale, shift, strict=True)
    red, green, blue = ((m - b * s / a, s / a) for m, s, a, b in colours)
    return (red[0], green[0], blue[0]), (red[1], green[1], blue[1])


def architectures() -> tuple[str, ...]:
    """The names of torchvision's classifiers."""
    return tuple(list_models(module=models))


def check_architecture(architecture: str) -> None:
    """Raises :class:`ClassifierError` when torchvision has no classifier of that name."""
    known = architectures()
    if architecture not in known:
        hint = did_you_mean(architecture, known) or "see torchvision.models for the names"
        raise ClassifierError(f"torchvision has no classifier {short(architecture)!r}; {hint}")


def weights_record(architecture: str, file: str = "") -> WeightsEnum:
    """What torchvision says of the weights in ``file``, else of the architecture's best weights.

    An architecture may have been published more than once, with other preprocessing and figures.
    Raises :class:`ClassifierError` when torchvision has no such architecture.
    """
    check_architecture(architecture)
    records = get_model_weights(architecture)
    return next((each for each in records if Path(each.url).name == file), records.DEFAULT)


def preprocessing(record: WeightsEnum) -> dict[str, Any]:
    """The labels and the preprocessing of published weights, as options of a classifier."""
    preset = record.transforms()
    return {
        "labels": record.meta["categories"],
        "input_size": (preset.crop_size[0], preset.crop_size[0]),
        "mean": preset.mean,
        "std": preset.std,
        "resize": preset.resize_size[0],
        "interpolation": preset.interpolation.value,
    }


def build(
    architecture: str, checkpoint: Checkpoint, owner: str, classes: int = IMAGENET_CLASSES
) -> nn.Module:
    """The architecture with these weights.

    Raises :class:`ClassifierError`, naming the ``owner`` of the weights, when they don't fit.
    """
    module = build_untrained(architecture, checkpoint, classes)
    load_weights(module, _current_names(checkpoint.state), owner)
    return module


def _current_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    for old, new in _OLD_NAMES:
        state = {old.sub(new, name): value for name, value in state.items()}
    return state


def build_untrained(architecture: str, checkpoint: Checkpoint, classes: int) -> nn.Module:
    """The architecture as these weights need it, with the auxiliary heads that they have."""
    options = dict(BUILD_OPTIONS.get(architecture, {}))
    if "aux_logits" in options:
        options["aux_logits"] = any(map(_AUXILIARY.match, checkpoint.state))
    if (match := _VISION_TRANSFORMER.fullmatch(architecture)) is not None:
        options |= _input_side(checkpoint.state, int(match["patch"]))
    module: nn.Module = get_model(architecture, weights=None, num_classes=classes, **options)
    if architecture in INCEPTIONS:
        return module
    return with_input_of(module, _current_names(checkpoint.state))


def _input_side(state: dict[str, Tensor], patch: int) -> dict[str, int]:
    """The side of a vision transformer's input, by its positions: one for each patch, and one."""
    positions = next((value for name, value in state.items() if name.endswith(_POSITIONS)), None)
    if positions is None or positions.dim() != 3 or len(positions) != 1:
        return {}
    side = math.isqrt(max(0, positions.shape[1] - 1))
    is_square = side > 0 and side * side + 1 == positions.shape[1]
    return {"image_size": side * patch} if is_square else {}


def imagenet_labels() -> tuple[str, ...]:
    """The names of ImageNet's thousand classes, in order."""
    return tuple(get_model_weights("resnet18").DEFAULT.meta["categories"])
