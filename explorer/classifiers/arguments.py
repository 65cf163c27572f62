"""The arguments of ``Classifier``, which a person's function gives: each is as it must be."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence, Set
from numbers import Integral
from pathlib import Path
from typing import Any

from explorer.classifiers.class_labels import names_by_index, read_labels
from explorer.classifiers.error import ClassifierError

INTERPOLATIONS = ("bilinear", "bicubic")
LARGEST_INPUT, LARGEST_RESIZE = 4096, 8192  # pixels
LABEL_FILES = (".txt", ".json")
_LABELS = (
    "give a list of names in the order of the classes, a dictionary from index to name, or a "
    ".txt or .json file of them"
)


def checked_labels(labels: Any) -> tuple[str, ...]:
    """The labels as text. Raises :class:`ClassifierError`, as all functions here."""
    if isinstance(labels, os.PathLike) or _names_file(labels):
        return read_labels(Path(labels))
    if isinstance(labels, Mapping):
        labels = names_by_index(labels)
    if isinstance(labels, Set | str | bytes):
        raise ClassifierError(f"labels can't be of type {type(labels).__name__}; {_LABELS}")
    try:
        values = tuple(labels)
    except TypeError:
        kind = type(labels).__name__
        raise ClassifierError(f"labels can't be of type {kind}; {_LABELS}") from None
    if len(values) < 2:
        raise ClassifierError(f"a classifier needs at least two labels; {len(values)} given")
    wrong = [value for value in values if not isinstance(value, str | Integral)]
    if wrong:
        raise ClassifierError(f"a label can't be of type {type(wrong[0]).__name__}; {_LABELS}")
    return tuple(str(value) for value in values)


def _names_file(labels: Any) -> bool:
    return isinstance(labels, str) and labels.endswith(LABEL_FILES)


def checked_input_size(size: Any) -> tuple[int, int]:
    """(height, width) in pixels."""
    if not isinstance(size, str | bytes):
        try:
            values = tuple(size)
        except TypeError:
            values = ()
        if len(values) == 2 and all(_is_whole(value, 1, LARGEST_INPUT) for value in values):
            return int(values[0]), int(values[1])
    raise ClassifierError(
        f"input_size can't be {size!r}; give (height, width), two whole numbers from 1 to "
        f"{LARGEST_INPUT}"
    )


def checked_normalisation(
    mean: Any, std: Any, channels: Any
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """``mean`` and ``std`` as one number for each of the ``channels``; None stands for 0 and 1."""
    if channels is not None and (not _is_whole(channels, 1, 3) or channels == 2):
        raise ClassifierError(
            f"channels can't be {channels!r}; give 3 for colour or 1 for grey images"
        )
    means, stds = (None if values is None else _numbers(values) for values in (mean, std))
    lengths = [len(values) for values in (means, stds) if values is not None]
    count = int(channels or (lengths[0] if lengths else 3))
    means = (0.0,) * count if mean is None else means
    stds = (1.0,) * count if std is None else stds
    if (
        count not in (1, 3)
        or means is None
        or stds is None
        or {len(means), len(stds)} != {count}
        or min(stds) <= 0
    ):
        raise ClassifierError(
            "mean and std must be three numbers each, one per colour, or one number each for grey "
            "images, such as (0.5,); finite, and std above 0"
        )
    return means, stds


def checked_choice(name: str, value: Any, choices: Sequence[str]) -> str:
    """One of ``choices``."""
    if isinstance(value, str) and value in choices:
        return value
    raise ClassifierError(f"{name} can't be {value!r}; give {' or '.join(choices)}")


def check_preprocessing(size: tuple[int, int], resize: Any, interpolation: Any) -> None:
    """How a photograph becomes an image of that size."""
    if resize is not None and not _is_whole(resize, max(size), LARGEST_RESIZE):
        raise ClassifierError(
            f"resize can't be {resize!r}; give a whole number from {max(size)}, the larger side of "
            f"input_size, to {LARGEST_RESIZE}"
        )
    checked_choice("interpolation", interpolation, INTERPOLATIONS)


def check_text(**values: Any) -> None:
    """Each value is text."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise ClassifierError(f"{name} must be text; it is of type {type(value).__name__}")


def _is_whole(value: Any, least: int, most: int) -> bool:
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most
    )


def _numbers(values: Any) -> tuple[float, ...] | None:
    """Finite numbers; None for anything else."""
    if isinstance(values, str | bytes | Mapping | Set):
        return None
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    return numbers if all(map(math.isfinite, numbers)) else None
