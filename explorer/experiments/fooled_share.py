"""How often a change that was made once, for all images, fools a classifier: the share of others.

A universal perturbation and a patch are scored on images that they were not fitted to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.datasets.labelled import LabelledImages
from explorer.engine import logits_of
from explorer.errors import Cancelled
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.sweep.set_attack import batch_size, pixels_of

Change = Callable[[Tensor, Tensor], Tensor]
"""Pixels float32 [N, C, H, W] and the images' positions int64 [N] → the changed pixels."""
IsCancelled = Callable[[], bool]


@dataclass(frozen=True)
class FooledShare:
    """Of ``n`` images that the classifier ``model`` got right, ``fooled`` fooled it.

    For a targeted change these are the images that it calls the target. ``title`` is the
    classifier's on a page or in a figure; without it that is ``model``.
    """

    model: str
    fooled: int
    n: int
    title: str = ""

    @property
    def shown_as(self) -> str:
        """What the classifier is called on a page or in a figure."""
        return self.title or self.model

    @property
    def rate(self) -> float | None:
        """The share from 0 to 1; None of no images."""
        return self.fooled / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the share."""
        return wilson(self.fooled, self.n)

    def row(self) -> dict[str, object]:
        """The values of a table's row."""
        low, high = self.interval
        values = {"model": self.model, "n": self.n, "fooled": self.fooled}
        return {**values, "rate": self.rate, "low": low, "high": high}


def predictions(
    classifier: Classifier,
    images: Tensor,
    change: Change | None = None,
    cancelled: IsCancelled | None = None,
) -> Tensor:
    """The class predicted for each of ``images`` uint8 [N, C, H, W], changed or not: int64 [N].

    Raises :class:`~explorer.errors.Cancelled` when ``cancelled()``, asked before each batch, is
    true.
    """
    if not len(images):
        return torch.zeros(0, dtype=torch.int64)
    each = batch_size(images)
    parts: list[Tensor] = []
    for start in range(0, len(images), each):
        if cancelled is not None and cancelled():
            raise Cancelled
        pixels = pixels_of(images[start : start + each])
        if change is not None:
            pixels = change(pixels, torch.arange(start, start + len(pixels)))
        with evaluation_mode(classifier):
            parts.append(logits_of(classifier, pixels.to(classifier.device)).argmax(dim=1).cpu())
    return torch.cat(parts)


def fooled_share(
    name: str,
    classifier: Classifier,
    data: LabelledImages,
    change: Change,
    target: int | None = None,
    cancelled: IsCancelled | None = None,
) -> FooledShare:
    """The share of the images that ``classifier`` gets right and, changed, gets wrong.

    With a ``target``, those of other classes that it then calls the target. ``data`` has its class
    indices. Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    right = predictions(classifier, data.images, cancelled=cancelled) == data.labels
    if target is not None:
        right &= data.labels != target
    others = data.take(right)
    after = predictions(classifier, others.images, change, cancelled)
    fooled = after != others.labels if target is None else after == target
    return FooledShare(name, int(fooled.sum()), len(others), classifier.title)
