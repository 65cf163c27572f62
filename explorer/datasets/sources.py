"""Data named on a command line, preprocessed for a classifier and with its class indices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from PIL import Image

from explorer.datasets import hub
from explorer.datasets.cifar10 import read_cifar10
from explorer.datasets.class_names import class_indices
from explorer.datasets.columns import FOUND, ColumnNames
from explorer.datasets.constructed.read import read_set
from explorer.datasets.labelled import DataError, LabelledImages, Pixels, stack_images
from explorer.datasets.parquet import labelled_images
from explorer.images import geometry

CIFAR10, CIFAR10_TRAIN = "cifar10", "cifar10:train"  # the test images, the training images


class ClassifierInput(geometry.Preprocessing, Protocol):
    """A classifier's preprocessing and labels; a ``Classifier`` fulfils it."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes' names, in order."""


def read_source(
    source: str,
    classifier: ClassifierInput,
    limit: int | None = None,
    named: ColumnNames = FOUND,
) -> LabelledImages:
    """The images of ``source`` as ``classifier`` takes them, or the first ``limit`` of them.

    ``source`` is "cifar10", "cifar10:train", "hf://OWNER/NAME:SPLIT", or a path that
    :func:`~explorer.datasets.constructed.read.read_set` reads. ``named`` are the columns that a
    person named. Labels are the classifier's indices, matched by name if the data has class names.

    Raises :class:`DataError` if the source can't be read or has other classes.
    """

    def preprocess(image: Image.Image) -> Pixels:
        return geometry.to_uint8(geometry.preprocess(image, classifier))

    if source in (CIFAR10, CIFAR10_TRAIN):
        data = read_cifar10(limit, train=source == CIFAR10_TRAIN)
    elif _is_torchvisions(source):
        names = f"{CIFAR10} or {CIFAR10_TRAIN}, with EXPLORER_DATA={source}"
        raise DataError(f"{source} is torchvision's CIFAR-10: name it {names}")
    elif source.startswith(hub.PREFIX):
        table = hub.read_hub(source, limit, named)
        data = labelled_images(table, source, preprocess, named)
    else:
        data = read_set(source, limit, preprocess, named).data
    if tuple(data.images.shape[2:]) != classifier.input_size:
        pictures = ((source, geometry.picture_of(levels)) for levels in data.images)
        data = replace(data, images=stack_images(pictures, len(data), source, preprocess))
    data = replace(data, images=geometry.with_channels(data.images, classifier.channels))
    return _with_labels_of(data, classifier.labels, source)


def _is_torchvisions(source: str) -> bool:
    try:
        return Path(source, "cifar-10-batches-py").is_dir()
    except OSError:  # read_set says why
        return False


def _with_labels_of(data: LabelledImages, labels: Sequence[str], source: str) -> LabelledImages:
    """``data`` with indices into ``labels``, by name if the data has names."""
    low, high, classes = int(data.labels.min()), int(data.labels.max()), len(data.names or labels)
    if low < 0:
        raise DataError(f"{source} has images without a label ({low}); choose others")
    if high >= classes:
        raise DataError(
            f"{source} has labels from {low} to {high} for {classes} classes; "
            f"they must be from 0 to {classes - 1}"
        )
    if not data.names or tuple(data.names) == tuple(labels):
        return data
    found, note = class_indices(data.names, labels, source)
    indices = data.labels.new_tensor(found)
    notes = data.notes if note is None else (*data.notes, note)
    return replace(data, labels=indices[data.labels], names=tuple(labels), notes=notes)
