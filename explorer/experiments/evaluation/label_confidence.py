"""What classifiers believe of a whole set: the confidence of each in the label that each image carries."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.errors import Cancelled

BATCH_VALUES = 250 * 3 * 32 * 32  # few enough that a cancelled job stops at once


@torch.no_grad()
def label_confidence(
    classifiers: Sequence[Classifier],
    images: Tensor,
    labels: Tensor,
    *,
    on_done: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tensor:
    """Probability that each classifier gives each label: float32 [J, N] for ``images`` uint8 [N, 3, H, W] and ``labels`` int64 [N].

    ``on_done(done, total)`` follows. Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` says so.
    """
    found = torch.empty(len(classifiers), len(labels))
    batch = max(1, BATCH_VALUES // max(1, images[0].numel()))
    for start in range(0, len(labels), batch):
        if cancelled is not None and cancelled():
            raise Cancelled
        rows = slice(start, start + batch)
        for judge, classifier in enumerate(classifiers):
            logits = classifier((images[rows].float() / 255).to(classifier.device))
            given = labels[rows].to(logits.device)
            found[judge, rows] = logits.softmax(dim=1).gather(1, given[:, None])[:, 0].cpu()
        if on_done is not None:
            on_done(min(start + batch, len(labels)), len(labels))
    return found


def disagreement(confidence: Tensor) -> Tensor:
    """How far the first two classifiers are apart on each image: float32 [N] of ``confidence`` [J, N]."""
    return (confidence[0] - confidence[1]).abs()
