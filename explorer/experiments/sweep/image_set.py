"""The images of a question about many: the gallery, a data set, or pictures of a person's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image

from explorer.classifiers import Classifier
from explorer.datasets.class_names import class_indices
from explorer.datasets.columns import FOUND, ColumnNames
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.datasets.sources import read_source
from explorer.engine import logits_of
from explorer.experiments.sweep.set_attack import pixels_of
from explorer.images import geometry
from explorer.images.gallery import CIFAR10_NAMES, TINY12_CLASSES, samples
from explorer.images.open import GALLERY_PREFIX

GALLERY = "gallery"  # the sample pictures that suit the classifier and show one of its classes
_NAMES = {"cifar10": CIFAR10_NAMES, "tiny12": TINY12_CLASSES}
_IMAGENET_CLASSES = 1000
PREDICTED = "no picture has a label: each classifier's own prediction counts as right"


@dataclass(frozen=True)
class ImageSet:
    """``data`` as one classifier takes it and with its class indices.

    ``keys`` name the images in tables: the position in a data set, or the name of a picture.
    """

    data: LabelledImages
    keys: tuple[str | int, ...]

    def __len__(self) -> int:
        return len(self.keys)


def read_image_sets(
    source: str,
    classifiers: Sequence[Classifier],
    limit: int | None = None,
    named: ColumnNames = FOUND,
) -> list[ImageSet]:
    """The same images for each classifier: those of :data:`GALLERY`, or what
    :func:`~explorer.datasets.sources.read_source` reads.

    The gallery is the one that suits the first classifier. ``limit`` takes the first images only;
    ``named`` are the columns that a person named. Raises :class:`DataError` where there are none,
    or where they show classes that a classifier does not know.
    """
    if source == GALLERY:
        return [gallery_set(each, classifiers[0].gallery, limit) for each in classifiers]
    return [_read(source, classifier, limit, named) for classifier in classifiers]


def _read(source: str, classifier: Classifier, limit: int | None, named: ColumnNames) -> ImageSet:
    data = read_source(source, classifier, limit, named)
    if not data.names:
        data = replace(data, names=tuple(classifier.labels))
    return ImageSet(data, tuple(map(data.row, range(len(data)))))


def gallery_set(classifier: Classifier, kind: str, limit: int | None = None) -> ImageSet:
    """The sample pictures of ``kind`` as ``classifier`` takes them, with their classes.

    Raises :class:`DataError` where none is installed, or where it knows other classes.
    """
    pictures = [each for each in samples(kind) if each.label is not None][:limit]
    if not pictures:
        raise DataError(
            "the sample pictures come with Foolbox, which is not installed: pip install foolbox, "
            "or give other images"
        )
    labels = [int(each.label or 0) for each in pictures]
    names = _NAMES.get(kind)
    if names is not None:
        indices, _ = class_indices(names, classifier.labels, "the gallery")
        labels = [indices[label] for label in labels]
    elif len(classifier.labels) != _IMAGENET_CLASSES:
        raise DataError(
            "the sample pictures are for the classes of CIFAR-10 or ImageNet, and "
            f"{classifier.name} has {len(classifier.labels)} of its own; give it images with these"
        )
    data = _labelled([each.read() for each in pictures], labels, classifier)
    return ImageSet(data, tuple(GALLERY_PREFIX + each.key for each in pictures))


def picture_set(
    pictures: Sequence[tuple[str, Image.Image]], classifier: Classifier, label: int | None = None
) -> ImageSet:
    """Pictures by name, all of the class ``label``; by default each of the class predicted for it.

    The data then has the note :data:`PREDICTED`. Raises :class:`DataError` where there are none.
    """
    if not pictures:
        raise DataError("there are no images; name a picture, or a data set with --data")
    images = [picture for _, picture in pictures]
    data = _labelled(images, [label or 0] * len(images), classifier)
    if label is None:
        logits = logits_of(classifier, pixels_of(data.images).to(classifier.device))
        predicted = logits.argmax(dim=1).cpu()
        data = LabelledImages(data.images, predicted, data.names, notes=(PREDICTED,))
    return ImageSet(data, tuple(name for name, _ in pictures))


def _labelled(
    pictures: Sequence[Image.Image], labels: Sequence[int], classifier: Classifier
) -> LabelledImages:
    tensors = [geometry.preprocess(picture, classifier) for picture in pictures]
    images = (torch.stack(tensors) * 255).round().to(torch.uint8)
    return LabelledImages(images, torch.tensor(labels), classifier.labels)
