"""The arguments of ``Classifier``, which a person's function gives: each is as it must be."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from numbers import Integral
from typing import Any

from explorer.classifiers.error import ClassifierError

INTERPOLATIONS = ("bilinear", "bicubic")
LARGEST_INPUT, LARGEST_RESIZE = 4096, 8192  # pixels
_LABELS = "give a list of names in the order of the classes"


def checked_labels(labels: Any) -> tuple[str, ...]:
    """The labels as text. Raises :class:`ClassifierError`, as all functions here."""
    if isinstance(labels, Mapping | Set | str | bytes):
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
    mean: Any, std: Any
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """``mean`` and ``std`` as three numbers each."""
    means, stds = _three_numbers(mean), _three_numbers(std)
    if means is None or stds is None or min(stds) <= 0:
        raise ClassifierError(
            "mean and std must be three numbers each, one per colour, finite, and std above 0"
        )
    return means, stds


def check_preprocessing(size: tuple[int, int], resize: Any, interpolation: Any) -> None:
    """How a photograph becomes an image of that size."""
    if resize is not None and not _is_whole(resize, max(size), LARGEST_RESIZE):
        raise ClassifierError(
            f"resize can't be {resize!r}; give a whole number from {max(size)}, the larger side of "
            f"input_size, to {LARGEST_RESIZE}"
        )
    if interpolation not in INTERPOLATIONS:
        raise ClassifierError(
            f"interpolation can't be {interpolation!r}; give {' or '.join(INTERPOLATIONS)}"
        )


def check_text(**values: Any) -> None:
    """Each value is text."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise ClassifierError(f"{name} must be text; it is of type {type(value).__name__}")


def _is_whole(value: Any, least: int, most: int) -> bool:
    return (
        isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most
    )


def _three_numbers(values: Sequence[float]) -> tuple[float, float, float] | None:
    if isinstance(values, str | bytes | Mapping | Set):
        return None
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        return None
    return numbers[0], numbers[1], numbers[2]
