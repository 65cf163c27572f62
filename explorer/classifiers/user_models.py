"""Classifiers that people add: state dicts for torchvision's architectures, and functions.

State dicts are stored on this machine with their cards. Functions are named in ``EXPLORER_MODELS``.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save

from explorer.classifiers.checkpoint import Checkpoint, read_checkpoint
from explorer.classifiers.classifier import Classifier, freeze
from explorer.classifiers.entry import USER_PREFIX, Entry
from explorer.classifiers.error import ClassifierError
from explorer.classifiers.trial import trial_run
from explorer.classifiers.user_model_card import UserModelCard
from explorer.files import cache_folder, disk_error, new_folder
from explorer.settings import MODELS

_WEIGHTS, _CARD = "weights.safetensors", "classifier.json"


def user_models_folder() -> Path:
    """The folder of added models: ``classifiers`` in :func:`~explorer.files.cache_folder`."""
    return cache_folder() / "classifiers"


def user_cards() -> dict[str, UserModelCard]:
    """The cards of the added models by name; a card that can't be read is left out."""
    cards = {}
    for path in sorted(user_models_folder().glob(f"*/{_CARD}")):
        try:
            card = UserModelCard.read(path)
        except ClassifierError:
            continue
        if card.name == path.parent.name:
            cards[card.name] = card
    return cards


def user_weights(name: str) -> Path:
    """The path of an added model's weights."""
    return user_models_folder() / name / _WEIGHTS


def add_model(card: UserModelCard, weights: str | Path) -> UserModelCard:
    """Store a model after a trial run, and return its card with labels and normalisation.

    The weights are stored as safetensors. Raises :class:`ClassifierError` when the file holds no
    weights, when they do not fit the architecture or the labels, and when they can't be stored.
    """
    checkpoint = read_checkpoint(weights)
    classifier = build_user_model(card, checkpoint, torch.device("cpu"))
    mean, std = checkpoint.mean or card.mean, checkpoint.std or card.std
    card = replace(card, labels=classifier.labels, mean=mean, std=std)
    if not bool(torch.isfinite(trial_run(classifier)).all()):
        raise ClassifierError(
            f"{card.architecture} with these weights returns values that are not finite; the "
            "weights are damaged"
        )
    folder = user_models_folder() / card.name
    state = {name: value.contiguous() for name, value in classifier.module.state_dict().items()}
    try:
        with new_folder(folder) as unfinished:
            (unfinished / _WEIGHTS).write_bytes(save(state))
            (unfinished / _CARD).write_text(card.to_json(), encoding="utf-8")
    except OSError as error:
        if folder.is_dir():
            raise ClassifierError(
                f"there is already a classifier named {card.name}; choose another name or remove "
                "that one first"
            ) from None
        failure = disk_error(folder, error, "Nothing was added")
        raise ClassifierError(f"{failure}; EXPLORER_CACHE chooses another folder") from None
    return card


def remove_model(name: str) -> None:
    """Delete an added model. Raises :class:`ClassifierError` when there is none of that name."""
    if name not in user_cards():
        raise ClassifierError(f"there is no classifier {USER_PREFIX}{name}")
    shutil.rmtree(user_models_folder() / name)


def load_user_model(name: str, device: torch.device) -> Classifier:
    """The added model of that name. Raises :class:`ClassifierError`."""
    cards = user_cards()
    if name not in cards:
        names = ", ".join(USER_PREFIX + each for each in cards) or "none"
        raise ClassifierError(
            f"there is no classifier {USER_PREFIX}{name} on this machine; those added are: {names}"
        )
    return build_user_model(cards[name], read_checkpoint(user_weights(name)), device)


def build_user_model(
    card: UserModelCard, checkpoint: Checkpoint, device: torch.device
) -> Classifier:
    """The card's architecture with these weights and as many classes as they have.

    A normalisation in the checkpoint replaces the card's. Raises :class:`ClassifierError` when the
    weights do not fit the architecture or the labels.
    """
    from explorer.classifiers.torchvision_models import (  # 1.8 s to import
        IMAGENET_CLASSES,
        build,
        check_architecture,
        classifier_around,
        imagenet_labels,
    )

    check_architecture(card.architecture)
    classes = _class_count(card.architecture, checkpoint)
    module = build(card.architecture, checkpoint, card.architecture, classes)
    numbers = tuple(f"class {index}" for index in range(classes))
    labels = card.labels or (imagenet_labels() if classes == IMAGENET_CLASSES else numbers)
    if len(labels) != classes:
        raise ClassifierError(
            f"the weights have {classes} classes and there are {len(labels)} labels; give one "
            "label for each class, in order"
        )
    return classifier_around(
        freeze(module, device),
        card.architecture,
        labels=labels,
        input_size=(card.input_size, card.input_size),
        mean=checkpoint.mean or card.mean,
        std=checkpoint.std or card.std,
        resize=card.resize,
        name=USER_PREFIX + card.name,
        title=card.name,
        robust=card.robust,
    )


def _class_count(architecture: str, checkpoint: Checkpoint) -> int:
    """The length of the tensors that take the place of those with ImageNet's thousand outputs."""
    from explorer.classifiers.torchvision_models import IMAGENET_CLASSES, build_untrained

    with torch.device("meta"):
        imagenet = build_untrained(architecture, checkpoint, IMAGENET_CLASSES).state_dict()
    state = checkpoint.state
    counts = {
        len(state[name])
        for name, value in imagenet.items()
        if value.dim() and len(value) == IMAGENET_CLASSES
        if name in state and state[name].dim() and state[name].shape[1:] == value.shape[1:]
    }
    # If no single number is found, load_weights will say what does not fit.
    return counts.pop() if len(counts) == 1 else IMAGENET_CLASSES


def models_from_environment() -> tuple[str, ...]:
    """The names ``FILE.py:FUNCTION`` in ``EXPLORER_MODELS``, which separates them by commas."""
    names = (name.strip() for name in MODELS.value.split(","))
    return tuple(name for name in names if name)


def user_entries() -> tuple[Entry, ...]:
    """The catalogue's lines for added models, then for the functions of ``EXPLORER_MODELS``."""
    added = [_added_entry(card) for card in user_cards().values()]
    functions = [_function_entry(name) for name in models_from_environment()]
    return tuple(entry for entry in (*added, *functions) if entry.available)


def _added_entry(card: UserModelCard) -> Entry:
    path = user_weights(card.name)
    return Entry(
        name=USER_PREFIX + card.name,
        title=card.name,
        data=f"{len(card.labels)} classes of your own, {card.input_size}×{card.input_size}",
        training=f"{card.architecture}, {'robust' if card.robust else 'standard'}",
        robust=card.robust,
        parameters=None,
        bytes=path.stat().st_size if path.is_file() else None,
        accuracy=None,
        where=path,
        available=path.is_file(),
        group="user",
    )


def _function_entry(name: str) -> Entry:
    path = Path(name.rpartition(":")[0])
    return Entry(
        name=name,
        title=name,
        data="as its Python function says",
        training="standard",
        robust=False,
        parameters=None,
        bytes=None,
        accuracy=None,
        where=path,
        available=path.is_file(),
        group="user",
    )
