"""Classifiers people bring: a state dict for one of torchvision's architectures with labels of its own, kept on this machine; and
Python functions named in ``EXPLORER_MODELS``."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from explorer.classifiers.checkpoint import Checkpoint, read_checkpoint
from explorer.classifiers.classifier import Classifier, ClassifierError, freeze
from explorer.classifiers.entry import USER_PREFIX, Entry
from explorer.files import cache_folder

_WEIGHTS, _CARD = "weights.safetensors", "classifier.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class UserModelCard:
    """What a state dict does not say of itself. ``input_size`` is the side of the square the network sees, ``resize`` what the
    shorter side of a photograph is brought to before; ``labels`` empty: ImageNet's where it has 1000 classes, else numbers."""

    name: str
    architecture: str
    labels: tuple[str, ...] = ()
    input_size: int = 224
    resize: int = 256
    mean: tuple[float, float, float] = _IMAGENET_MEAN
    std: tuple[float, float, float] = _IMAGENET_STD
    robust: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ClassifierError(
                f"{self.name!r} is not a name: up to 60 letters, digits, dots, hyphens and underscores, a letter or digit first"
            )
        if not 16 <= self.input_size <= 1024:
            raise ClassifierError(
                f"the input's side must be from 16 to 1024 pixels; it is {self.input_size}"
            )
        if self.resize < self.input_size:
            raise ClassifierError(
                f"the shorter side ({self.resize}) must not be less than the input's ({self.input_size})"
            )


def user_models_folder() -> Path:
    """Where they are kept: ``classifiers`` in ``EXPLORER_CACHE``, by default in the person's cache folder."""
    return cache_folder() / "classifiers"


def user_cards() -> dict[str, UserModelCard]:
    """The cards of the classifiers that are kept, by name; what can't be read is passed over."""
    found = {}
    for path in sorted(user_models_folder().glob(f"*/{_CARD}")):
        try:
            card = _read_card(path)
        except ClassifierError:
            continue
        found[card.name] = card
    return found


def user_weights(name: str) -> Path:
    """The weights file of one that is kept."""
    return user_models_folder() / name / _WEIGHTS


def add_model(card: UserModelCard, weights: str | Path) -> UserModelCard:
    """Keep the classifier, after it has been built and asked once. The weights are written again as safetensors.

    Raises :class:`ClassifierError` when the file is not weights, does not fit the architecture or the labels, or can't be kept.
    """
    checkpoint = read_checkpoint(weights)
    classifier = build_user_model(card, checkpoint, torch.device("cpu"))
    card = replace(
        card,
        labels=classifier.labels,
        mean=checkpoint.mean or card.mean,
        std=checkpoint.std or card.std,
    )
    with torch.no_grad():
        logits = classifier(torch.rand(1, 3, card.input_size, card.input_size))
    if not bool(torch.isfinite(logits).all()):
        raise ClassifierError(
            f"{card.architecture} with these weights answers with values that are not finite; the weights are damaged"
        )
    place = user_models_folder() / card.name
    try:
        user_models_folder().mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=user_models_folder()))
        try:
            (temporary / _WEIGHTS).write_bytes(
                save({k: v.contiguous() for k, v in classifier.module.state_dict().items()})
            )
            (temporary / _CARD).write_text(
                json.dumps(asdict(card), ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
            )
            if place.exists():
                raise ClassifierError(
                    f"there is already a classifier named {card.name}; choose another name or remove that one first"
                )
            os.replace(temporary, place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise ClassifierError(
            f"can't keep the classifier in {user_models_folder()}: {error.strerror or error}; EXPLORER_CACHE names another folder"
        ) from None
    return card


def remove_model(name: str) -> None:
    """Delete one that is kept. Raises :class:`ClassifierError` when there is none of that name."""
    if name not in user_cards():
        raise ClassifierError(f"there is no classifier {USER_PREFIX}{name}")
    shutil.rmtree(user_models_folder() / name)


def load_user_model(name: str, device: torch.device) -> Classifier:
    """The classifier kept under ``name``. Raises :class:`ClassifierError`."""
    card = user_cards().get(name)
    if card is None:
        kept = ", ".join(USER_PREFIX + each for each in user_cards()) or "none"
        raise ClassifierError(
            f"there is no classifier {USER_PREFIX}{name} on this machine; kept are {kept}"
        )
    return build_user_model(card, read_checkpoint(user_weights(name)), device)


def build_user_model(
    card: UserModelCard, checkpoint: Checkpoint, device: torch.device
) -> Classifier:
    """The architecture with these weights and as many classes as they have. A normalisation that the file brings with it counts.

    Raises :class:`ClassifierError`.
    """
    from explorer.classifiers.torchvision_models import (  # torchvision: 1.8 s to import
        IMAGENET,
        build,
        check_architecture,
        imagenet_labels,
    )

    check_architecture(card.architecture)
    classes = _classes(card.architecture, checkpoint)
    module = build(card.architecture, checkpoint, card.architecture, classes)
    labels = card.labels or (
        imagenet_labels()
        if classes == IMAGENET
        else tuple(f"class {index}" for index in range(classes))
    )
    if len(labels) != classes:
        raise ClassifierError(
            f"the weights tell {classes} classes apart and {len(labels)} labels are given; give one a class, in order"
        )
    return Classifier(
        freeze(module, device),
        labels=labels,
        input_size=(card.input_size, card.input_size),
        mean=checkpoint.mean or card.mean,
        std=checkpoint.std or card.std,
        resize=card.resize,
        name=USER_PREFIX + card.name,
        title=card.name,
        robust=card.robust,
    )


def _classes(architecture: str, checkpoint: Checkpoint) -> int:
    """How many classes the weights have: what the layers with ImageNet's thousand outputs have in their place."""
    from explorer.classifiers.torchvision_models import IMAGENET, build_untrained

    with torch.device("meta"):
        own = build_untrained(architecture, checkpoint, IMAGENET).state_dict()
    heads = {
        name: value.shape for name, value in own.items() if value.dim() and len(value) == IMAGENET
    }
    state = checkpoint.state
    found = {
        len(state[name])
        for name, shape in heads.items()
        if name in state and state[name].shape[1:] == shape[1:]
    }
    return found.pop() if len(found) == 1 else IMAGENET  # put_weights then says what does not fit


def models_from_environment() -> tuple[str, ...]:
    """The names ``FILE.py:FUNCTION`` in ``EXPLORER_MODELS``, separated by commas."""
    return tuple(
        part.strip() for part in os.environ.get("EXPLORER_MODELS", "").split(",") if part.strip()
    )


def _read_card(path: Path) -> UserModelCard:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        values: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        return UserModelCard(**values)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ClassifierError(f"{path} is not a readable card: {error}") from None


def user_entries() -> tuple[Entry, ...]:
    """The catalogue's lines for what people brought: kept state dicts, then the functions of ``EXPLORER_MODELS``."""
    kept = [
        Entry(
            USER_PREFIX + card.name,
            card.name,
            f"{len(card.labels)} classes of your own, {card.input_size}×{card.input_size}",
            f"{card.architecture}, {'robust' if card.robust else 'standard'}",
            card.robust,
            None,
            user_weights(card.name).stat().st_size,
            None,
            user_weights(card.name),
            True,
            group="own",
        )
        for card in user_cards().values()
        if user_weights(card.name).is_file()
    ]
    made = [
        Entry(
            name,
            name,
            "as its Python function says",
            "standard",
            False,
            None,
            None,
            None,
            Path(name.rpartition(":")[0]),
            Path(name.rpartition(":")[0]).is_file(),
            group="own",
        )
        for name in models_from_environment()
    ]
    return (*kept, *(entry for entry in made if entry.available))


def parse_labels(text: str) -> tuple[str, ...]:
    """Class names in order from a text file with one a line, or from JSON: a list of names, an object from index to name, or to a
    list that ends with the name (as ImageNet's class index has it). Raises :class:`ClassifierError`."""
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = [line.strip() for line in text.splitlines() if line.strip()]
    if isinstance(found, Mapping):
        found = _by_index(found)
    if not isinstance(found, list) or not all(
        isinstance(name, str) and name.strip() for name in found
    ):
        raise ClassifierError(
            'the labels must be a list of names: one a line, or JSON such as ["cat", "dog"] or {"0": "cat"}'
        )
    if len(found) < 2:
        raise ClassifierError(f"a classifier needs at least two labels; the file has {len(found)}")
    return tuple(name.strip() for name in found)


def _by_index(found: Mapping[str, Any]) -> list[Any]:
    try:
        indices = {int(key): value for key, value in found.items()}
    except ValueError:
        raise ClassifierError(
            'the labels\' JSON must map an index to each name, such as {"0": "cat", "1": "dog"}'
        ) from None
    if sorted(indices) != list(range(len(indices))):
        raise ClassifierError(f"the labels' indices must be 0 to {len(indices) - 1}, each once")
    return [
        value[-1] if isinstance(value, list) and value else value
        for _, value in sorted(indices.items())
    ]
