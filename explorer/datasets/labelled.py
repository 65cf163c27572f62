"""Labelled images in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from explorer.errors import UserError
from explorer.images.decode import ImageError

Pixels = npt.NDArray[np.uint8]
Preprocess = Callable[[Image.Image], Pixels]  # uint8 [H, W, 3] of a picture

_CHANNELS = (1, 3)  # grey, colour


class DataError(UserError):
    """A data set that can't be used; the message says what is wrong and what to do."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn an :class:`OSError` of reading ``path``, or a file in it, into a :class:`DataError`."""
    try:
        yield
    except OSError as error:
        where = path if error.filename is None else error.filename
        reason = error.strerror or str(error)
        raise DataError(
            f"{where} can't be read ({reason}); check the path and its permissions"
        ) from None


@dataclass(frozen=True)
class LabelledImages:
    """``images`` uint8 [N, 3, H, W], or [N, 1, H, W] in grey, with ``labels`` int64 [N].

    ``names`` are the classes' names, empty if the data has none. ``rows`` int64 [N] is the position
    of each image in its source; None means 0 to N − 1. ``notes`` tell the person how the source was
    read. Images and labels may be given as NumPy arrays, and labels as a list. Raises
    :class:`DataError` for others.
    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]
    rows: Tensor | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        images = _checked_images(_tensor("images", self.images))
        labels = _checked_labels(_tensor("labels", self.labels), len(images))
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> LabelledImages:
        """The images at ``indices`` (int64, or bool [N])."""
        rows = torch.arange(len(self)) if self.rows is None else self.rows
        return replace(
            self, images=self.images[indices], labels=self.labels[indices], rows=rows[indices]
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of images and labels."""
        sha = hashlib.sha256(str(tuple(self.images.shape)).encode())
        sha.update(self.images.contiguous().numpy().data)
        sha.update(self.labels.contiguous().numpy().data)
        return sha.hexdigest()

    def row(self, index: int) -> int:
        """The position in its source of the image at ``index``."""
        return index if self.rows is None else int(self.rows[index])


def _tensor(name: str, values: Any) -> Tensor:
    if isinstance(values, Tensor):
        return values
    try:
        return torch.from_numpy(np.array(values, order="C"))
    except (TypeError, ValueError):
        kind = type(values).__name__
        raise DataError(f"{name} can't be of type {kind}; give a tensor or an array") from None


def _checked_images(images: Tensor) -> Tensor:
    shape, kind = list(images.shape), str(images.dtype).removeprefix("torch.")
    problem = f"images must be uint8 [N, 3, H, W]; they are {kind} {shape}"
    if len(shape) == 4 and shape[1] not in _CHANNELS and shape[3] in _CHANNELS:
        raise DataError(f"{problem}, with the colours last: use torch's permute(0, 3, 1, 2)")
    if len(shape) != 4 or shape[1] not in _CHANNELS:
        raise DataError(problem)
    if images.dtype != torch.uint8:
        raise DataError(f"{problem}: for pixels in [0, 1], (images * 255).round().to(torch.uint8)")
    return images


def _checked_labels(labels: Tensor, count: int) -> Tensor:
    is_whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    if labels.shape != (count,) or not is_whole:
        kind = str(labels.dtype).removeprefix("torch.")
        raise DataError(
            f"labels must be class indices, int64 [{count}]; they are {kind} {list(labels.shape)}"
        )
    return labels.long()


def stack_images(
    pictures: Iterable[tuple[str, Image.Image]],
    count: int,
    where: str,
    preprocess: Preprocess | None = None,
) -> Tensor:
    """``count`` pictures, each with its name for messages, as uint8 [count, 3, H, W].

    Pictures of different sizes need a ``preprocess`` that makes them equal. Raises
    :class:`DataError` if sizes differ or decoding a picture raised :class:`ImageError`.
    """
    images = torch.empty(0)
    first = ""
    try:
        for index, (name, image) in enumerate(pictures):
            array = np.array(image) if preprocess is None else preprocess(image)
            pixels = torch.from_numpy(array).permute(2, 0, 1)
            if index == 0:
                images, first = torch.empty((count, *pixels.shape), dtype=torch.uint8), name
            if pixels.shape != images.shape[1:]:
                differing = f"the pictures in {where} differ in size ({name} from {first})"
                raise DataError(f"{differing}; they must all be the same")
            images[index] = pixels
    except ImageError as error:
        raise DataError(str(error)) from None
    return images
