"""The smallest ε at which an attack succeeds, of each image: bracketing, bisection, then a walk.

It is an upper bound of the distance to the nearest misclassified image: each comes with an
adversarial image at exactly this distance, which the classifier itself misclassifies in float32.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.sweep.bracket import Bracket
from explorer.experiments.sweep.set_attack import (
    OnProgress,
    SetAttack,
    batch_size,
    ignore_progress,
    pixels_of,
)
from explorer.ranks import ALONE, Ranks

MAX_ROUNDS = 24  # attacks on each image; most need ten
PICTURES = 16  # images whose adversarial image is kept


@dataclass(frozen=True)
class SmallestEpsilons:
    """The smallest ε found for each of N images: ``epsilon`` float32 [N], infinite for none.

    It is 0 for an image that is misclassified as it is. ``before`` and ``after`` int64 [N] are the
    classes predicted for the image and for the adversarial one; ``adversarial`` float32
    [K, C, H, W] are the adversarial images of the first K, each the original where there is none.
    """

    epsilon: Tensor
    before: Tensor
    after: Tensor
    adversarial: Tensor

    @property
    def values(self) -> list[float | None]:
        """The smallest ε of each image, None where no attack succeeded."""
        return [value if math.isfinite(value) else None for value in self.epsilon.tolist()]

    @property
    def median(self) -> float | None:
        """The median ε, of an even number the mean of the middle two; None if it is infinite."""
        middle = statistics.median(self.epsilon.tolist())
        return middle if math.isfinite(middle) else None


def smallest_epsilons(
    classifier: Classifier,
    data: LabelledImages,
    attack: SetAttack,
    *,
    ranks: Ranks = ALONE,
    on_progress: OnProgress = ignore_progress,
    on_result: Callable[[SmallestEpsilons], None] = lambda result: None,
    cancelled: Callable[[], bool] | None = None,
) -> SmallestEpsilons:
    """The smallest ε of each image of ``data``, in its order.

    An image's result does not depend on the others. Several ``ranks`` share the batches and all get
    the same result. ``on_result`` gets the first batches' result after each batch. Raises
    :class:`~explorer.attacks.AttackError` for settings that can't be used, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    each = batch_size(data.images, Bracket.POINTS)
    starts = ranks.share(range(0, len(data), each))
    total = len(starts) * MAX_ROUNDS
    parts: dict[int, SmallestEpsilons] = {}
    for number, start in enumerate(starts):
        rows = slice(start, start + each)
        pixels, labels = pixels_of(data.images[rows]), data.labels[rows]
        bracket = Bracket(classifier, attack, pixels, labels, cancelled)
        for index in range(MAX_ROUNDS):
            if not bracket.is_open:
                break
            bracket.narrow()
            on_progress(number * MAX_ROUNDS + index + 1, total)
        bracket.finish()
        parts[start] = SmallestEpsilons(
            bracket.smallest,
            bracket.predicted(pixels),
            bracket.predicted(bracket.adversarial),
            bracket.adversarial[: max(0, PICTURES - start)],
        )
        on_progress((number + 1) * MAX_ROUNDS, total)
        on_result(_joined(parts))
    for others in ranks.gather(parts):
        parts |= others
    return _joined(parts)


def _joined(parts: dict[int, SmallestEpsilons]) -> SmallestEpsilons:
    """The results of several batches, in the order of their images."""
    ordered = [parts[start] for start in sorted(parts)]
    return SmallestEpsilons(
        torch.cat([part.epsilon for part in ordered]),
        torch.cat([part.before for part in ordered]),
        torch.cat([part.after for part in ordered]),
        torch.cat([part.adversarial for part in ordered]),
    )
