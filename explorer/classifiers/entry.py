"""``Entry``: one line of the catalogue of classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from explorer.classifiers.imagenet import ReportedAccuracy
from explorer.classifiers.model_card import ModelCard
from explorer.fetch import Remote
from explorer.settings import USER_PREFIX as USER_PREFIX

# The groups of a person's own classifiers: added on this machine, Python functions, and added in a
# session of the app, with which they go.
USER_GROUP, FUNCTION_GROUP, SESSION_GROUP = "user", "function", "session"


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue.

    ``where`` is the path of the weights file, or the one to which it would be downloaded from
    ``remote``; ``available`` says whether it exists. ``bytes`` is the size of that file and
    ``accuracy`` the fraction of clean images that are classified correctly, as ``accuracy_source``
    reports it; both are None if unknown. ``robust_accuracy`` is what others measured under attack;
    for bundled classifiers it is in the ``card``. ``group`` is "bundled", "torchvision", "robust",
    or one of the three above.
    """

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
    robust_accuracy: tuple[ReportedAccuracy, ...] = ()
    group: str = "bundled"


def own_data(classes: int, input_size: tuple[int, int], channels: int) -> str:
    """What the entry of a person's own classifier says of its data."""
    height, width = input_size
    colour = ", grey" if channels == 1 else ""
    return f"{classes} classes of your own, {height}×{width}{colour}"
