"""``load``: a classifier from one of the kinds of name."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import torch

from explorer.classifiers.catalogue import BUNDLED, bundled
from explorer.classifiers.checkpoint import load_weights, read_checkpoint
from explorer.classifiers.classifier import Classifier, ClassifierError, freeze, resolve_device
from explorer.classifiers.downloads import fetch_with_bar, is_published
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.small_net import NetworkConfig, SmallNet


def load(name: str, weights: str | Path | None = None, device: str = "auto") -> Classifier:
    """A classifier by name: a catalogue name (``cifar10-standard``, ``madry:resnet50_l2_eps3``), ``torchvision:ARCHITECTURE`` with a
    local weights file or fetched ones, ``own:NAME``, one that was brought to this machine's explorer, or ``FILE.py:FUNCTION``, a
    function of the user's own that returns a :class:`Classifier`.

    The module comes in evaluation mode, its parameters frozen. Raises :class:`ClassifierError`, in one sentence.
    """
    place = resolve_device(device)
    if is_published(name):
        from explorer.classifiers.torchvision_models import (
            published_classifier,
        )  # imports torchvision, which takes 1.8 s

        return published_classifier(
            name, Path(weights) if weights is not None else fetch_with_bar(name), place
        )
    if name.startswith(USER_PREFIX):
        from explorer.classifiers.user_models import load_user_model

        return load_user_model(name.removeprefix(USER_PREFIX), place)
    if ".py:" in name:
        return _from_function(name, weights, place)
    return _bundled(name, weights, place)


def _bundled(name: str, weights: str | Path | None, device: torch.device) -> Classifier:
    card = bundled().get(name)
    if card is None:
        raise ClassifierError(
            f"there is no classifier {name!r}; bundled are {', '.join(bundled()) or 'none'}; others are named "
            "torchvision:ARCHITECTURE, madry:NAME or FILE.py:FUNCTION (python -m explorer models lists them)"
        )
    net = SmallNet(NetworkConfig(**{**card.network, "widths": tuple(card.network["widths"])}))
    path = Path(weights) if weights is not None else BUNDLED / f"{name}.safetensors"
    checkpoint = read_checkpoint(path)
    load_weights(net, checkpoint.state, name)
    return Classifier(
        freeze(net, device),
        labels=card.labels,
        input_size=card.input_size,
        mean=checkpoint.mean or card.mean,
        std=checkpoint.std or card.std,
        name=name,
        title=card.title,
        gallery=card.gallery,
        robust=card.robust,
    )


def _from_function(name: str, weights: str | Path | None, device: torch.device) -> Classifier:
    if weights is not None:
        raise ClassifierError(
            "a classifier from a Python function loads its own weights; leave --weights out"
        )
    file, _, function = name.rpartition(":")
    path = Path(file)
    if not path.is_file():
        raise ClassifierError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(f"explorer_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ClassifierError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickling look the module up by name
    try:
        spec.loader.exec_module(module)
        made = getattr(module, function)()
    except Exception as error:  # the user's own code may fail in any way
        raise ClassifierError(f"{name} failed: {type(error).__name__}: {error}") from error
    if not isinstance(made, Classifier):
        raise ClassifierError(
            f"{name} must return an explorer.classifiers.Classifier; it returned {type(made).__name__}"
        )
    made.name = name
    return made.eval().requires_grad_(False).to(device)
