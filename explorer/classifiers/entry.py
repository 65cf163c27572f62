"""One line of the catalogue of classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explorer.classifiers.imagenet import Reported
from explorer.classifiers.model_card import ModelCard
from explorer.fetch import Remote

USER_PREFIX = "user:"  # before the names of classifiers that a person added


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue. ``bytes`` and ``accuracy`` (clean, as a fraction; ``accuracy_source`` says whose figure) are None where
    not known here; ``where`` is the file the weights are in, or the one they would be fetched to, from ``remote``; ``available`` says
    whether it is there. ``group`` is "bundled", "torchvision" or "robust"; ``robust_accuracy`` what others measured under attack: of
    those bundled the ``card`` has it."""

    name: str
    title: str
    data: str
    training: str
    robust: bool
    parameters: int | None
    bytes: int | None
    accuracy: float | None
    where: Path
    available: bool
    card: ModelCard | None = None
    remote: Remote | None = None
    accuracy_source: str = ""
    robust_accuracy: tuple[Reported, ...] = ()
    group: str = "bundled"
