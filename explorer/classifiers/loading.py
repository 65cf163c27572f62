"""``load``: a classifier from its name."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from explorer.classifiers.catalogue import BUNDLED_FOLDER, bundled_cards
from explorer.classifiers.checkpoint import Checkpoint, read_checkpoint
from explorer.classifiers.cifar_networks import CIFAR_PREFIX
from explorer.classifiers.class_labels import repeated_note
from explorer.classifiers.classifier import Classifier, freeze
from explorer.classifiers.devices import AUTO, moved, resolve_device
from explorer.classifiers.downloads import fetch_with_bar, is_published
from explorer.classifiers.efficientnet_lite import EfficientNetLite0, published_state
from explorer.classifiers.entry import USER_PREFIX
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.fitting import load_weights
from explorer.classifiers.imagenet import TIMM_PREFIX
from explorer.classifiers.isolated import read_weights_file
from explorer.classifiers.model_card import ModelCard
from explorer.classifiers.outputs import PROBABILITIES
from explorer.classifiers.packaged import EFFICIENTNET, packaged_card, require_packaged_weights
from explorer.classifiers.readable import first_bytes
from explorer.classifiers.small_net import NetworkConfig, SmallNet
from explorer.classifiers.trial import output_note, trial_run
from explorer.classifiers.user_code import run_file
from explorer.classifiers.user_functions import function_parts
from explorer.classifiers.user_models import machine_models
from explorer.errors import did_you_mean, short, type_and_message


def load(name: str, weights: str | Path | None = None, device: str = "auto") -> Classifier:
    """The classifier of that name, in evaluation mode, its parameters without gradients.

    ``name`` is one of the catalogue (``cifar10-standard``, ``madry:resnet50_l2_eps3``),
    ``torchvision:ARCHITECTURE``, ``timm:NAME``, ``timm:hf-hub:ORG/NAME``, ``cifar:ARCHITECTURE``,
    ``user:NAME`` for a model that was added on this machine, or ``FILE.py:FUNCTION``, a person's
    function without arguments that returns a :class:`Classifier`; with ``:probabilities`` after it
    where the network ends with a softmax, whose logarithm is then taken. ``weights`` is a file to
    use instead of the bundled or published weights, which are downloaded if necessary: "cifar:"
    needs one, and the last two kinds of names take none. "auto" is the accelerator if this machine
    has one that agrees with the CPU on noise, else the CPU; any other ``device`` must agree.

    A module that a person's function made keeps its dtype and memory format; it is put into
    evaluation mode and its parameters are frozen too. Raises :class:`ClassifierError`.
    """
    place = resolve_device(device)
    classifier = moved(_on_cpu(name, weights), place, required=device != AUTO)
    if ".py:" in name:
        trial_run(classifier)
        notes = output_note(classifier), repeated_note(classifier.labels, classifier.name)
        classifier.notes += tuple(note for note in notes if note)
    return classifier


def _on_cpu(name: str, weights: str | Path | None) -> Classifier:
    place = torch.device("cpu")
    if is_published(name):
        from explorer.classifiers.torchvision_models import published_classifier  # 1.8 s to import

        if weights is not None:
            return published_classifier(name, Path(weights), place, read=read_weights_file)
        return published_classifier(name, fetch_with_bar(name), place)
    if name.startswith(USER_PREFIX):
        if weights is not None:
            raise ClassifierError(
                f"{name} is stored with its own weights; leave --weights out, or add the other "
                "weights as another model"
            )
        return machine_models().load(name.removeprefix(USER_PREFIX), place)
    if ".py:" in name:
        return _from_function(name, weights)
    if name.startswith(CIFAR_PREFIX):
        return _cifar(name, weights, place)
    if name.startswith(TIMM_PREFIX):
        from explorer.classifiers.timm_models import timm_classifier  # 2 s to import

        return timm_classifier(name, weights, place)
    if name == EFFICIENTNET:
        return _packaged(weights, place)
    return _bundled(name, weights, place)


def _bundled(name: str, weights: str | Path | None, device: torch.device) -> Classifier:
    card = bundled_cards().get(name)
    if card is None:
        names = (EFFICIENTNET, *bundled_cards())
        bundled, near = ", ".join(names), did_you_mean(name, names)
        near = f"name its function too: {name}:FUNCTION" if name.endswith(".py") else near
        hint = f" ({near})" if near else ""
        raise ClassifierError(
            f"there is no classifier {short(name)!r}{hint}; bundled are {bundled}; "
            "others are named torchvision:ARCHITECTURE, madry:NAME, timm:NAME, cifar:ARCHITECTURE, "
            "user:NAME or FILE.py:FUNCTION (python -m explorer models lists them)"
        )
    net = SmallNet(NetworkConfig(**{**card.network, "widths": tuple(card.network["widths"])}))
    path = Path(weights) if weights is not None else BUNDLED_FOLDER / f"{name}.safetensors"
    checkpoint = read_weights_file(path)
    load_weights(net, checkpoint.state, name)
    return _described(freeze(net, device), checkpoint, card, path if weights is None else None)


def _cifar(name: str, weights: str | Path | None, device: torch.device) -> Classifier:
    from explorer.classifiers.user_network import cifar_classifier

    if weights is None:
        raise ClassifierError(
            f"{name} is an architecture without weights; give a file of them with --weights"
        )
    return cifar_classifier(name, read_weights_file(weights), device)


def _packaged(weights: str | Path | None, device: torch.device) -> Classifier:
    path = Path(weights) if weights is not None else require_packaged_weights()
    read = read_checkpoint if weights is None else read_weights_file
    checkpoint, net = read(path), EfficientNetLite0()
    load_weights(net, published_state(net, checkpoint.state), EFFICIENTNET)
    card = packaged_card()
    return _described(freeze(net, device), checkpoint, card, path if weights is None else None)


def _described(
    module: nn.Module, checkpoint: Checkpoint, card: ModelCard, own_weights: Path | None
) -> Classifier:
    """The classifier that ``card`` describes, around ``module``.

    Raises :class:`ClassifierError` if ``own_weights``, its own file, has other weights.
    """
    classifier = Classifier(
        module,
        labels=card.labels,
        input_size=card.input_size,
        mean=checkpoint.mean or card.mean,
        std=checkpoint.std or card.std,
        resize=card.resize,
        name=card.name,
        title=card.title,
        gallery=card.gallery,
        robust=card.robust,
    )
    if own_weights is not None and classifier.digest != card.weights_digest:
        raise ClassifierError(
            f"{own_weights} does not hold the weights that {card.name}.json describes (their "
            "SHA-256 differs); install them again"
        )
    return classifier


def _no_function(path: Path, function: str, module: ModuleType) -> str:
    own = [
        name
        for name, value in vars(module).items()
        if callable(value) and getattr(value, "__module__", "") == module.__name__
    ]
    there = f"it has {', '.join(sorted(own))}" if own else "it has none"
    return f"there is no function {function!r} in {path.name}; {there}"


def _from_function(name: str, weights: str | Path | None) -> Classifier:
    if weights is not None:
        raise ClassifierError(
            "a classifier from a Python function loads its own weights; leave --weights out"
        )
    path, function, outputs = function_parts(name)
    if outputs not in ("", PROBABILITIES):
        raise ClassifierError(
            f"{name} ends with {outputs!r}; after FILE.py:FUNCTION only :{PROBABILITIES} may follow"
        )
    first_bytes(path, "file")
    try:
        module = run_file(path)
        build = getattr(module, function, None)
        if not callable(build):
            raise ClassifierError(_no_function(path, function, module))
        classifier = build()
    except ClassifierError:
        raise
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except (Exception, SystemExit) as error:  # the person's code may fail in any way
        raise ClassifierError(f"{name} failed: {type_and_message(error)}") from error
    if not isinstance(classifier, Classifier):
        raise ClassifierError(
            f"{name} returned {type(classifier).__name__}; it must return "
            "explorer.classifiers.Classifier(network, labels=[…], input_size=(height, width), "
            "mean=…, std=…)"
        )
    classifier.name = name
    classifier.outputs = outputs or classifier.outputs
    return classifier.eval().requires_grad_(False)
