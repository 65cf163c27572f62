"""How confident classifiers are in the label of each image of a set."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.images.geometry import with_channels

BATCH_VALUES = 250 * 3 * 32 * 32  # few enough that a cancelled job stops at once


@torch.no_grad()
def label_confidence(
    classifiers: Sequence[Classifier],
    images: Tensor,
    labels: Tensor,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tensor:
    """Each classifier's probability of each image's label, float32 [M, N] for M classifiers.

    ``images`` are uint8 [N, 3, H, W], which a classifier of grey images gets in grey; ``labels``
    are int64 [N]. ``on_progress(images done, N)`` is called after each batch. Raises
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    confidence = torch.empty(len(classifiers), len(labels))
    batch = max(1, BATCH_VALUES // max(1, images[0].numel()))
    for start in range(0, len(labels), batch):
        if cancelled is not None and cancelled():
            raise Cancelled
        rows = slice(start, start + batch)
        for index, classifier in enumerate(classifiers):
            pixels = with_channels(images[rows], classifier.channels).float() / 255
            logits = classifier(pixels.to(classifier.device))
            classes = labels[rows, None].to(logits.device)
            confidence[index, rows] = logits.softmax(dim=1).gather(1, classes)[:, 0].cpu()
        if on_progress is not None:
            on_progress(min(start + batch, len(labels)), len(labels))
    return confidence


def disagreement(confidence: Tensor) -> Tensor:
    """The gap between the first two classifiers, float32 [N], from ``confidence`` [M, N]."""
    return (confidence[0] - confidence[1]).abs()
