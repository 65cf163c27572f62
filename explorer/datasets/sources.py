"""Data by its written name: a Parquet file, a folder with a sub-folder per class, or torchvision's CIFAR-10."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from explorer.datasets.labelled import DataError, LabelledImages, read_parquet
from explorer.images.decode import ImageError, read
from explorer.images.geometry import fit, to_uint8

CIFAR10, CIFAR10_TRAIN = "cifar10", "cifar10:train"  # the test images, the training images


class Viewer(Protocol):
    """What reading needs to know of a classifier: its labels and how it sees a picture."""

    labels: tuple[str, ...]
    input_size: tuple[int, int]
    resize: int | None


def read_source(source: str, viewer: Viewer, limit: int | None = None) -> LabelledImages:
    """The images of ``source`` as ``viewer`` sees them, with its class indices; the first ``limit`` when given.

    Raises :class:`DataError` when the source can't be read or its classes are not the viewer's.
    """
    if source in (CIFAR10, CIFAR10_TRAIN):
        data = _torchvision_cifar10(limit, train=source == CIFAR10_TRAIN)
    elif Path(source).is_dir():
        return _read_folder(Path(source), viewer, limit)
    else:
        data = read_parquet(source, limit, lambda image: to_uint8(fit(image, viewer.input_size, viewer.resize)))
    return _with_labels_of(data, viewer.labels, source)


def data_folder() -> Path:
    """Where torchvision keeps its data sets: ``EXPLORER_DATA``, by default ``data`` in the current folder."""
    return Path(os.environ.get("EXPLORER_DATA", "data"))


def _torchvision_cifar10(limit: int | None, train: bool) -> LabelledImages:
    from torchvision.datasets import CIFAR10 as TorchvisionCIFAR10  # torchvision takes 1.8 s to import

    try:
        data = TorchvisionCIFAR10(str(data_folder()), train=train, download=False)
    except RuntimeError:
        raise DataError(
            f"CIFAR-10 is not in {data_folder().resolve()}; fetch it there with torchvision.datasets.CIFAR10(…, download=True), "
            "or say with EXPLORER_DATA where it is"
        ) from None
    images = torch.from_numpy(np.ascontiguousarray(data.data[:limit].transpose(0, 3, 1, 2)))
    return LabelledImages(images, torch.tensor(data.targets[:limit]), tuple(data.classes))


def _read_folder(folder: Path, viewer: Viewer, limit: int | None) -> LabelledImages:
    """One sub-folder per class, named as the classifier names it. Files are taken round the classes, so that a limit
    keeps them balanced."""
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    if not classes:
        raise DataError(f"{folder} has no sub-folders; it needs one per class, named like the class")
    indices = _indices([path.name for path in classes], viewer.labels, str(folder))
    queues = [sorted(path for path in each.iterdir() if path.is_file()) for each in classes]
    turns = max(map(len, queues))
    files = [(q[turn], i) for turn in range(turns) for q, i in zip(queues, indices, strict=True) if turn < len(q)][:limit]
    if not files:
        raise DataError(f"the sub-folders of {folder} hold no files")
    try:
        arrays = [to_uint8(fit(read(path).image, viewer.input_size, viewer.resize)) for path, _ in files]
    except ImageError as error:
        raise DataError(str(error)) from None
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    return LabelledImages(images, torch.tensor([index for _, index in files]), viewer.labels)


def _with_labels_of(data: LabelledImages, labels: Sequence[str], source: str) -> LabelledImages:
    """Labels as the classifier counts them: by name where the data has names, else by index."""
    low, high = int(data.labels.min()), int(data.labels.max())
    if low < 0 or high >= len(data.names or labels):
        raise DataError(f"{source} has labels from {low} to {high} for {len(data.names or labels)} classes")
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
