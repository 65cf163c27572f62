"""timm's models with the preprocessing that timm knows for their weights.

timm downloads published weights from the Hugging Face Hub into that library's own cache. Importing
this module imports timm, which takes 2 s.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import timm
import torch
from huggingface_hub import constants
from timm.data.config import resolve_model_data_config
from timm.data.imagenet_info import ImageNetInfo, infer_imagenet_subset
from torch import nn

from explorer.classifiers.arguments import INTERPOLATIONS
from explorer.classifiers.classifier import Classifier, freeze
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.fitting import load_weights, under_prefix
from explorer.classifiers.hub import hub_if_reachable
from explorer.classifiers.imagenet import TIMM_PREFIX
from explorer.classifiers.isolated import read_weights_file
from explorer.errors import did_you_mean, is_out_of_memory, short, type_and_message

_HUB = ("hf-hub:", "hf_hub:")  # before ORG/NAME
_IMAGENET = "imagenet-1k"
_OTHER_INTERPOLATION = "bicubic"  # for "random" and filters that the explorer lacks


def timm_classifier(name: str, weights: str | Path | None, device: torch.device) -> Classifier:
    """``timm:NAME``, ``timm:NAME.TAG`` or ``timm:hf-hub:ORG/NAME``.

    With the published weights, which are downloaded if need be, or with those in the file
    ``weights``, whose number of classes it has then. Raises :class:`ClassifierError`.
    """
    model = name.removeprefix(TIMM_PREFIX)
    if not model.startswith(_HUB):
        _check_name(model)
    module = _published(name, model) if weights is None else _with_weights(name, model, weights)
    return Classifier(
        freeze(module, device),
        labels=_labels(module),
        name=name,
        title=model,
        **_preprocessing(module),
    )


def _check_name(model: str) -> None:
    architecture, _, tag = model.partition(".")
    if not timm.is_model(architecture):
        near = did_you_mean(architecture, timm.list_models())
        hint = near or "timm.list_models() has the names"
        raise ClassifierError(f"timm has no model {short(architecture)!r}; {hint}")
    tags = [each.partition(".")[2] for each in timm.list_pretrained(f"{architecture}.*")]
    if tag and tag not in tags:
        known = f"it has {', '.join(tags)}" if tags else "it has none; leave the part after . out"
        raise ClassifierError(f"timm has no weights {tag!r} of {architecture}; {known}")


def _published(name: str, model: str) -> nn.Module:
    try:
        with hub_if_reachable() as reachable:
            module: nn.Module = timm.create_model(model, pretrained=True)
    except Exception as error:  # timm, the Hub's library and the network fail in many ways
        if is_out_of_memory(error):
            raise
        if reachable:
            reason = f"could not be loaded: {type_and_message(error).rstrip('.')}"
        else:
            reason = f"are not on this machine, and {constants.ENDPOINT} can't be reached"
        raise ClassifierError(
            f"the published weights of {name} {reason}. Those in {constants.HF_HUB_CACHE} need no "
            "network, and --weights takes any file"
        ) from None
    return module


def _with_weights(name: str, model: str, weights: str | Path) -> nn.Module:
    state = read_weights_file(weights).state
    module: Any = _untrained(name, model)
    state = under_prefix(state, module.state_dict())
    head = _head(module)
    if head in state and len(state[head]) != module.num_classes:
        module = _untrained(name, model, num_classes=len(state[head]))
    network: nn.Module = module
    load_weights(network, state, name)
    return network


def _untrained(name: str, model: str, **options: Any) -> Any:
    try:
        return timm.create_model(model, pretrained=False, **options)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ClassifierError(f"{name} can't be built: {type_and_message(error)}") from None


def _head(module: Any) -> str:
    """The name of the weight of the layer that returns the logits."""
    classifier = module.pretrained_cfg.get("classifier") or "fc"
    return f"{classifier if isinstance(classifier, str) else classifier[0]}.weight"


def _labels(module: Any) -> tuple[str, ...]:
    """What the weights' configuration says, or timm knows of ImageNet; else numbers."""
    configuration, classes = module.pretrained_cfg, int(module.num_classes)
    if len(names := configuration.get("label_names") or ()) == classes:
        return tuple(map(str, names))
    subset = infer_imagenet_subset(module)
    if subset == _IMAGENET:
        from explorer.classifiers.torchvision_models import imagenet_labels

        return imagenet_labels()
    if subset:
        information = ImageNetInfo(subset)
        return tuple(information.index_to_description(index) for index in range(classes))
    return tuple(f"class {index}" for index in range(classes))


def _preprocessing(module: nn.Module) -> dict[str, Any]:
    """As options of a classifier: timm's transform for evaluation, with its crop in the centre."""
    data = resolve_model_data_config(module)  # type: ignore[no-untyped-call]
    _, height, width = data["input_size"]
    interpolation = data["interpolation"]
    return {
        "input_size": (height, width),
        "resize": math.floor(max(height, width) / data["crop_pct"]),
        "mean": data["mean"],
        "std": data["std"],
        "interpolation": interpolation if interpolation in INTERPOLATIONS else _OTHER_INTERPOLATION,
    }
