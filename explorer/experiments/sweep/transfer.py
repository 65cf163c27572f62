"""How often an attack on one classifier fools another: the transfer matrix of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks import AttackError
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.datasets.labelled import LabelledImages
from explorer.engine import logits_of
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.sweep.set_attack import (
    OnProgress,
    SetAttack,
    batch_size,
    ignore_progress,
    pixels_of,
    rows_where,
    same_prediction,
    steps_within,
)
from explorer.ranks import ALONE, Ranks


@dataclass(frozen=True)
class TransferCell:
    """Adversarial images made with the classifier ``row``, tried on the classifier ``column``.

    Of the ``n`` images that both classify correctly, the share ``rate`` fools the column, with the
    95 % Wilson interval from ``low`` to ``high``. ``rate`` is None where ``n`` is 0.
    """

    row: int
    column: int
    n: int
    rate: float | None
    low: float
    high: float


def transfer_matrix(
    classifiers: Sequence[Classifier],
    data: Sequence[LabelledImages],
    attack: SetAttack,
    epsilon: float,
    *,
    rows: Sequence[int] | None = None,
    ranks: Ranks = ALONE,
    on_progress: OnProgress = ignore_progress,
    cancelled: Callable[[], bool] | None = None,
) -> list[TransferCell]:
    """A cell for each pair of ``classifiers``, row by row.

    ``rows`` are the indices of the classifiers that are attacked, by default all of them.

    ``data`` has the same images for each classifier, with its own class indices; all are attacked
    and tried as the first classifier takes them. The attack raises the loss as far as it can and
    does not stop on success. Raises :class:`AttackError` where the classifiers take images of
    different sizes, or for settings that can't be used.
    """
    images = _common_images(classifiers, data)
    attack.check_for(images[0], [epsilon])
    each, count = batch_size(images), len(classifiers)
    starts = ranks.share(range(0, len(images), each))
    attacked = range(count) if rows is None else rows
    both_right = torch.zeros(count, count, dtype=torch.int64)
    fooled = torch.zeros_like(both_right)
    units = attack.steps
    total = len(starts) * len(attacked) * units
    for number, start in enumerate(starts):
        pixels = pixels_of(images[start : start + each])
        labels = [item.labels[start : start + each] for item in data]
        right = _right(classifiers, pixels, labels)
        for turn, row in enumerate(attacked):
            classifier = classifiers[row]
            done = (number * len(attacked) + turn) * units
            chosen = rows_where(right[row])
            if epsilon > 0 and len(chosen):
                adversarial = attack.at(epsilon)(
                    classifier,
                    pixels[chosen],
                    labels[row][chosen],
                    on_step=steps_within(on_progress, done, total),
                    cancelled=cancelled,
                ).adversarial
            else:
                adversarial = pixels[chosen]
            still_right = _right(classifiers, adversarial, [each[chosen] for each in labels])
            both_right[row] += right[:, chosen].sum(dim=1)
            fooled[row] += (right[:, chosen] & ~still_right).sum(dim=1)
            on_progress(done + units, total)
    gathered = ranks.gather((both_right, fooled))
    both_right, fooled = (torch.stack(each).sum(dim=0) for each in zip(*gathered, strict=True))
    return [
        _cell(row, column, int(both_right[row, column]), int(fooled[row, column]))
        for row in attacked
        for column in range(count)
    ]


def _cell(row: int, column: int, n: int, fooled: int) -> TransferCell:
    return TransferCell(row, column, n, fooled / n if n else None, *wilson(fooled, n))


def _common_images(classifiers: Sequence[Classifier], data: Sequence[LabelledImages]) -> Tensor:
    first = classifiers[0]
    for other in classifiers:
        if (other.input_size, other.channels) != (first.input_size, first.channels):
            sizes = " and ".join(
                f"{each.name} {each.input_size[0]} × {each.input_size[1]}"
                for each in (first, other)
            )
            raise AttackError(
                f"an image can't be handed from one classifier to another of another size: "
                f"{sizes}; "
                "choose classifiers that take the same images"
            )
    return data[0].images


def _right(classifiers: Sequence[Classifier], pixels: Tensor, labels: Sequence[Tensor]) -> Tensor:
    """Whether each classifier is right about each of ``pixels``: bool [M, N]."""
    right = torch.zeros(len(classifiers), len(pixels), dtype=torch.bool)
    if not len(pixels):
        return right
    for index, (classifier, truth) in enumerate(zip(classifiers, labels, strict=True)):
        with evaluation_mode(classifier):
            logits = logits_of(classifier, pixels.to(classifier.device)).cpu()
        right[index] = same_prediction(logits, truth)
    return right
