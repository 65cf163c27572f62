"""The images that a change is fitted to, and others that it is scored on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from explorer.classifiers import Classifier
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.experiments.sweep.image_set import GALLERY, read_image_sets
from explorer.files import ASSETS

BUNDLED = "bundled"  # 250 images of D_NR made from noise; the gallery's are then the others
_BUNDLED_SET = ASSETS / "sets" / "cifar10-d_nr-from-noise.parquet"
FIT, LIMIT = 1000, 1000


@dataclass(frozen=True)
class ImageSource:
    """Where the images come from, as the options of a command name it.

    ``data`` is what :func:`~explorer.experiments.sweep.image_set.read_image_sets` reads, or
    :data:`BUNDLED`. The first ``fit`` of its images are fitted to, at most half of them unless
    ``test`` names other images. Up to ``limit`` others are scored on.
    """

    data: str = BUNDLED
    test: str | None = None
    fit: int | None = None
    limit: int | None = None

    @property
    def test_source(self) -> str | None:
        """What the images to score on are read from, if not from ``data``."""
        return GALLERY if self.test is None and self.data == BUNDLED else self.test

    def words(self) -> list[str]:
        """The command line's options."""
        options = (
            ("--data", self.data, BUNDLED),
            ("--test", self.test, None),
            ("--fit", self.fit, None),
            ("--limit", self.limit, None),
        )
        return [
            word
            for option, value, default in options
            if value != default
            for word in (option, str(value))
        ]


def read_fitting_images(
    source: ImageSource, classifiers: Mapping[str, Classifier]
) -> tuple[LabelledImages, dict[str, LabelledImages]]:
    """The images to fit to, as the first classifier takes them, and the others for each by name.

    No image is in both. Raises :class:`~explorer.datasets.labelled.DataError` where there are too
    few, or where they show classes that a classifier does not know.
    """
    fit, limit = source.fit or FIT, source.limit or LIMIT
    models = list(classifiers.values())
    path = str(_BUNDLED_SET) if source.data == BUNDLED else source.data
    if source.test_source is not None:
        (fitted,) = read_image_sets(path, models[:1], fit)
        others = read_image_sets(source.test_source, models, limit)
        return fitted.data, _by_name(classifiers, [each.data for each in others])
    sets = [each.data for each in read_image_sets(path, models, fit + limit)]
    count = len(sets[0])
    if count < 2:
        raise DataError(
            f"{source.data} has {count} image; give at least two, or others with --test"
        )
    if source.fit is None:
        fit = min(FIT, count // 2)
    if fit >= count:
        raise DataError(
            f"{source.data} has {count} images, and all of them would be fitted to; lower --fit, "
            "or name others with --test"
        )
    rest = torch.arange(fit, count)
    return sets[0].take(torch.arange(fit)), _by_name(
        classifiers, [each.take(rest) for each in sets]
    )


def _by_name(
    classifiers: Mapping[str, Classifier], data: list[LabelledImages]
) -> dict[str, LabelledImages]:
    return dict(zip(classifiers, data, strict=True))
