"""Data by its written name, as a classifier sees and counts it: whatever :func:`~explorer.datasets.constructed.read.read_set` reads, or
torchvision's CIFAR-10."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch
from PIL import Image

from explorer.datasets.cifar10 import read_cifar10
from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError, LabelledImages, Pixels
from explorer.images import geometry
from explorer.images.geometry import to_uint8

CIFAR10, CIFAR10_TRAIN = "cifar10", "cifar10:train"  # the test images, the training images


class Viewer(geometry.Preprocessing, Protocol):
    """What reading needs to know of a classifier: its labels and how it sees a picture."""

    @property
    def labels(self) -> tuple[str, ...]: ...


def read_source(source: str, viewer: Viewer, limit: int | None = None) -> LabelledImages:
    """The images of ``source`` as ``viewer`` sees them, with its class indices; the first ``limit`` when given.

    Raises :class:`DataError` when the source can't be read or its classes are not the viewer's.
    """

    def view(image: Image.Image) -> Pixels:
        return to_uint8(geometry.view(image, viewer))

    if source in (CIFAR10, CIFAR10_TRAIN):
        data = read_cifar10(limit, train=source == CIFAR10_TRAIN)
    elif Path(source, "cifar-10-batches-py").is_dir():
        raise DataError(
            f"{source} is torchvision's CIFAR-10: name it {CIFAR10} or {CIFAR10_TRAIN}, with EXPLORER_DATA={source}"
        )
    else:
        data = read_set(source, limit, view).data
    if tuple(data.images.shape[2:]) != viewer.input_size:
        seen = [
            torch.from_numpy(view(Image.fromarray(image.permute(1, 2, 0).numpy())))
            for image in data.images
        ]
        data = replace(data, images=torch.stack(seen).permute(0, 3, 1, 2).contiguous())
    return _with_labels_of(data, viewer.labels, source)


def _with_labels_of(data: LabelledImages, labels: Sequence[str], source: str) -> LabelledImages:
    """Labels as the classifier counts them: by name where the data has names, else by index."""
    low, high = int(data.labels.min()), int(data.labels.max())
    if low < 0 or high >= len(data.names or labels):
        raise DataError(
            f"{source} has labels from {low} to {high} for {len(data.names or labels)} classes"
        )
    if not data.names or tuple(data.names) == tuple(labels):
        return data
    order = torch.tensor(_indices(data.names, labels, source))
    return replace(data, labels=order[data.labels], names=tuple(labels))


def _indices(names: Sequence[str], labels: Sequence[str], source: str) -> list[int]:
    known = {label.casefold(): index for index, label in enumerate(labels)}
    unknown = [name for name in names if name.casefold() not in known]
    if unknown:
        raise DataError(
            f"{source} has classes the classifier does not know, such as {unknown[0]!r}; it knows {', '.join(labels[:5])} …"
        )
    return [known[name.casefold()] for name in names]
