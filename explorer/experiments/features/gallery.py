"""Whether what one picture's gradients show holds for every sample of a gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.features.asked import IsCancelled, OnStep
from explorer.experiments.features.gradients import (
    LOGIT,
    input_gradients,
    neighbour_correlation,
)
from explorer.experiments.one_image.attack_image import predict
from explorer.images.geometry import preprocess


@dataclass(frozen=True)
class GalleryCorrelations:
    """One classifier's :func:`neighbour_correlation` for each picture, in their order.

    The gradient is the plain one of its own prediction. ``title`` is what the pages call it.
    """

    title: str
    robust: bool
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean over the pictures."""
        return sum(self.values) / len(self.values)


@dataclass(frozen=True)
class Share:
    """``count`` of ``n`` pictures, with the ends of the 95 % Wilson interval of that share."""

    count: int
    n: int
    low: float
    high: float


def gallery_correlations(
    classifiers: Mapping[str, Classifier],
    pictures: Sequence[Image.Image],
    *,
    of: str = LOGIT,
    on_step: OnStep | None = None,
    cancelled: IsCancelled | None = None,
) -> tuple[GalleryCorrelations, ...]:
    """How alike neighbouring pixels of the gradients of ``classifiers`` are for ``pictures``.

    ``of`` is "logit" or "loss". ``on_step(done, total)`` counts gradients. Raises
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    total, done = len(classifiers) * len(pictures), 0
    answers: list[GalleryCorrelations] = []
    for model in classifiers.values():
        values: list[float] = []
        for picture in pictures:
            if cancelled is not None and cancelled():
                raise Cancelled
            image = preprocess(picture, model)[None]
            label = predict(model, image)[0].index
            values.append(neighbour_correlation(input_gradients(model, image, label, of)[0]))
            done += 1
            if on_step is not None:
                on_step(done, total)
        answers.append(GalleryCorrelations(model.title, model.robust, tuple(values)))
    return tuple(answers)


def share_above(one: GalleryCorrelations, other: GalleryCorrelations) -> Share:
    """On how many pictures the value of ``one`` is greater than that of ``other``."""
    pairs = list(zip(one.values, other.values, strict=True))
    count = sum(a > b for a, b in pairs)
    return Share(count, len(pairs), *wilson(count, len(pairs)))
