"""Accuracy and mean confidence against ε: what a classifier still gets right under attack."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.datasets.labelled import LabelledImages
from explorer.engine import logits_of
from explorer.errors import Cancelled
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.sweep.set_attack import (
    OnProgress,
    SetAttack,
    batch_size,
    ignore_progress,
    label_probability,
    pixels_of,
    rows_where,
    same_prediction,
    steps_within,
)
from explorer.ranks import ALONE, Ranks

# A fooled image whose label has become less probable than this is left alone at larger ε. Its
# probability would only fall to 0, so that the mean confidence is at most this much too high.
SETTLED = 0.01
ABOUT_ZERO = 0.01  # the accuracy at which a sweep without end stops


@dataclass(frozen=True)
class SweepRow:
    """What a classifier does under attack at ``epsilon``, on ``n`` images.

    ``accuracy`` is the share that it still gets right, with the 95 % Wilson interval from ``low``
    to ``high``; ``confidence`` is its mean probability of the label at the attacked images.
    """

    epsilon: float
    n: int
    accuracy: float
    low: float
    high: float
    confidence: float


OnRows = Callable[[list[SweepRow]], None]


def accuracy_sweep(
    classifier: Classifier,
    data: LabelledImages,
    attack: SetAttack,
    epsilons: Sequence[float],
    *,
    until_zero: bool = False,
    ranks: Ranks = ALONE,
    on_progress: OnProgress = ignore_progress,
    on_rows: OnRows = lambda rows: None,
    cancelled: Callable[[], bool] | None = None,
) -> list[SweepRow]:
    """A row for each of ``epsilons``, which ascend: accuracy and confidence under PGD.

    An image counts as right at ε when it is classified correctly and no attack at ε or below
    succeeds. The attack at each ε starts from the result at the one before, so that accuracy never
    rises with ε. With ``until_zero`` the rows end at the first ε where the accuracy is at most
    :data:`ABOUT_ZERO`. Several ``ranks`` share the batches, which are those of one process, and all
    get the same rows.

    ``on_rows`` gets the rows so far, of the images so far. Raises
    :class:`~explorer.attacks.AttackError` for settings that can't be used, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    attack.check_for(data.images[0], epsilons)
    each = batch_size(data.images)
    starts = ranks.share(range(0, len(data), each))
    table = _Table(len(epsilons), len(data), until_zero)
    total = len(starts) * len(epsilons) * attack.steps
    for number, start in enumerate(starts):
        rows = slice(start, start + each)
        batch = _Batch(classifier, attack, pixels_of(data.images[rows]), data.labels[rows])
        for index, epsilon in enumerate(epsilons):
            done = (number * len(epsilons) + index) * attack.steps
            batch.raise_to(epsilon, steps_within(on_progress, done, total), cancelled)
            table.put(index, rows, batch)
            if number == 0:
                on_rows(table.rows(epsilons[: index + 1]))
        on_progress((number + 1) * len(epsilons) * attack.steps, total)
        if number:
            on_rows(table.rows(epsilons))
    for other in ranks.gather(table):
        table.merge(other)
    return table.rows(epsilons)


class _Batch:
    """Attacked images as ε rises: the strongest attack so far of each."""

    def __init__(
        self, classifier: Classifier, attack: SetAttack, pixels: Tensor, labels: Tensor
    ) -> None:
        self._classifier, self._attack = classifier, attack
        self._pixels, self._labels = pixels, labels
        with torch.no_grad(), evaluation_mode(classifier):
            logits = logits_of(classifier, pixels.to(classifier.device)).cpu()
        self._adversarial = pixels.clone()
        self.correct = same_prediction(logits, labels)
        self.confidence = label_probability(logits, labels)

    def raise_to(
        self,
        epsilon: float,
        on_step: Callable[[int, int, float], None],
        cancelled: Callable[[], bool] | None,
    ) -> None:
        """Attack at ``epsilon`` those that a larger ε can still change."""
        if cancelled is not None and cancelled():
            raise Cancelled
        rows = rows_where(self.correct | (self.confidence > SETTLED))
        if epsilon == 0 or not len(rows):
            return
        labels = self._labels[rows]
        result = self._attack.at(epsilon)(
            self._classifier,
            self._pixels[rows],
            labels,
            initial=self._adversarial[rows],
            on_step=on_step,
            cancelled=cancelled,
        )
        confidence = label_probability(result.logits, labels)
        correct, before = self.correct[rows], self.confidence[rows]
        # What fooled the classifier at a smaller ε still does.
        is_better = (result.success & correct) | (
            (result.success == ~correct) & (confidence <= before)
        )
        self.correct[rows] = correct & ~result.success
        self.confidence[rows] = torch.where(is_better, confidence, before)
        self._adversarial[rows[is_better]] = result.adversarial[is_better]


class _Table:
    """What is known of each image at each ε: [E, N]."""

    def __init__(self, epsilons: int, images: int, until_zero: bool) -> None:
        self._correct = torch.zeros(epsilons, images, dtype=torch.bool)
        self._confidence = torch.zeros(epsilons, images)
        self._done = torch.zeros(images, dtype=torch.bool)
        self._until_zero = until_zero

    def put(self, index: int, rows: slice, batch: _Batch) -> None:
        self._correct[index, rows] = batch.correct
        self._confidence[index, rows] = batch.confidence
        self._done[rows] = True

    def merge(self, other: _Table) -> None:
        """Add what another rank knows."""
        columns = rows_where(other._done)
        self._correct[:, columns] = other._correct[:, columns]
        self._confidence[:, columns] = other._confidence[:, columns]
        self._done[columns] = True

    def rows(self, epsilons: Sequence[float]) -> list[SweepRow]:
        """The rows for the first of the sweep's ε, of the images that are done."""
        n = int(self._done.sum())
        rows: list[SweepRow] = []
        for index, epsilon in enumerate(epsilons):
            right = int(self._correct[index, self._done].sum())
            # fsum: the mean does not depend on how the images were shared among processes.
            confidence = math.fsum(self._confidence[index, self._done].tolist()) / n
            rows.append(SweepRow(epsilon, n, right / n, *wilson(right, n), confidence))
            if self._until_zero and rows[-1].accuracy <= ABOUT_ZERO:
                break
        return rows
