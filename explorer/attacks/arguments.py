"""The arguments of an attack, as people pass them: a value where it is exact, or one sentence."""

from __future__ import annotations

import reprlib
from collections.abc import Sequence
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.attacks.error import AttackError
from explorer.classifiers import Classifier
from explorer.classifiers.pixels import as_pixels


def shown(value: object) -> str:
    """``value`` for a message, in a few words on one line."""
    try:
        return " ".join(reprlib.repr(value).split())
    except ValueError:  # Python prints no number of more than 4300 digits
        return "a number of very many digits"


def as_count(name: str, value: Any, most: int) -> int:
    """A whole number from 1 to ``most``. Raises :class:`AttackError`, as all functions here."""
    number = _integer(value)
    if number is None or not 1 <= number <= most:
        raise AttackError(f"{name} must be a whole number from 1 to {most:,}; it is {shown(value)}")
    return number


def as_seed(value: Any) -> int:
    """Any whole number."""
    number = _integer(value)
    if number is None:
        raise AttackError(f"seed must be a whole number; it is {shown(value)}")
    return number


def as_switch(name: str, value: Any) -> bool:
    """True or False."""
    if not isinstance(value, bool | np.bool_):
        raise AttackError(f"{name} must be True or False; it is {shown(value)}")
    return bool(value)


def check_choice(name: str, value: Any, known: tuple[str, ...]) -> None:
    """``value`` is one of ``known``."""
    if not isinstance(value, str) or value not in known:
        raise AttackError(f"unknown {name} {shown(value)}: it is one of {', '.join(known)}")


def as_length(name: str, value: Any) -> float | Tensor:
    """A number, or one for each image as a tensor [N]; a floating-point tensor stays as it is."""
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, np.ndarray | list | tuple):
        value = _tensor(name, value)
    if isinstance(value, Tensor):
        if value.dim() > 1 or not value.numel():
            shape = list(value.shape)
            raise AttackError(f"{name} is one number or a tensor [N], not of shape {shape}")
        if value.dtype == torch.bool or value.is_complex():
            raise AttackError(f"{name} must be numbers; they are {_dtype(value)}")
        return value if value.is_floating_point() else value.double()
    if isinstance(value, Real) and not isinstance(value, bool):
        with suppress(OverflowError):
            return float(value)
    advice = "; write 8/255 and not '8/255'" if isinstance(value, str) else ""
    raise AttackError(f"{name} must be a number or a tensor [N]; it is {_described(value)}{advice}")


def as_classifier(value: Any) -> Classifier:
    """A :class:`Classifier`: a module alone does not say what its input and its classes are."""
    if not isinstance(value, Classifier):
        raise AttackError(
            f"the attack takes a Classifier, not an object of type {type(value).__name__}; use "
            "load(…) or Classifier(module, labels=…, input_size=…)"
        )
    return value


def as_images(value: Any) -> Tensor:
    """Images float32 [N, C, H, W] in [0, 1], of which there is one at least."""
    images = as_pixels(value, AttackError, torch.float32)
    if not images.numel():
        raise AttackError(f"there are no images to attack; they are {list(images.shape)}")
    low, high = float(images.detach().amin()), float(images.detach().amax())
    # Not the other way round: a NaN passes neither comparison.
    if not (low >= 0 and high <= 1):
        advice = "; divide them by 255" if low >= 0 and 2 < high <= 255 else ""
        raise AttackError(
            "images must lie in [0, 1], as the classifier normalises them itself; they lie in "
            f"[{low:g}, {high:g}]{advice}"
        )
    return images


def as_start(value: Any, images: Tensor) -> Tensor:
    """Where the first restart begins: as many pixels as ``images``, all of them finite."""
    start = as_pixels(value, AttackError)
    if start.shape != images.shape:
        raise AttackError(
            f"initial must be of the images' shape {list(images.shape)}; it is {list(start.shape)}"
        )
    if not bool(torch.isfinite(start).all()):
        raise AttackError("initial has values that are not finite")
    return start


def as_classes(name: str, value: Any, count: int, classes: int) -> Tensor:
    """Class indices int64 [count] from 0 to ``classes`` − 1."""
    if isinstance(value, Sequence) and any(isinstance(item, str) for item in value):
        raise AttackError(f"{name} can't be texts; classifier.find_label(name) has a class's index")
    indices = value if isinstance(value, Tensor) else _tensor(name, value)
    if indices.shape != (count,):
        advice = f"; for one-hot rows use {name}.argmax(1)" if indices.dim() == 2 else ""
        raise AttackError(
            f"{name} must be class indices [{count}]; they are {list(indices.shape)}{advice}"
        )
    if indices.dtype == torch.bool or indices.is_floating_point() or indices.is_complex():
        method = f"{name}.long()" if isinstance(value, Tensor) else "whole numbers"
        raise AttackError(
            f"{name} must be class indices, int64; they are {_dtype(indices)}: use {method}"
        )
    indices = indices.long()
    if not bool(((indices >= 0) & (indices < classes)).all()):
        raise AttackError(f"{name} must be class indices from 0 to {classes - 1}")
    return indices


def _integer(value: Any) -> int | None:
    if isinstance(value, np.ndarray | Tensor) and value.ndim == 0:
        value = value.item()
    is_number = isinstance(value, Integral) and not isinstance(value, bool)
    return int(value) if is_number else None


def _tensor(name: str, value: Any) -> Tensor:
    """A copy of an array or of a list of numbers; floats are float64, as Python's own."""
    try:
        return torch.from_numpy(np.array(value, order="C"))
    except (TypeError, ValueError, RuntimeError):
        raise AttackError(
            f"{name} can't be {_described(value)}; give a tensor, an array or a list of numbers"
        ) from None


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _described(value: Any) -> str:
    return f"{shown(value)} of type {type(value).__name__}"
