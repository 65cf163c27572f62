"""Robust accuracy: the share of images a classifier still gets right after an attack, at several ε."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks import PGD
from explorer.attacks.threat import Threat
from explorer.classifiers import Classifier

Z95 = 1.959963984540054  # two-sided 95 % quantile of the normal distribution
BATCH_PIXELS = (
    100 * 3 * 64 * 64
)  # values in one attacked batch: enough to fill two cores, little enough for any memory


@dataclass(frozen=True)
class AccuracyRow:
    """Accuracy on ``n`` images under attack at ``epsilon``, with its 95 % Wilson interval."""

    epsilon: float
    accuracy: float
    low: float
    high: float


def wilson(correct: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a proportion (Wilson 1927): honest also at 0 and 1."""
    if n == 0:
        return 0.0, 1.0
    share = correct / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # Exact at the ends, where rounding would leave a crumb.
    return (middle - half if correct else 0.0), (middle + half if correct < n else 1.0)


def accuracy_rows(held: dict[float, int], n: int, epsilons: Sequence[float]) -> list[AccuracyRow]:
    """The rows for ``epsilons``, in their order, where ``held[ε]`` of ``n`` images were still right."""
    return [
        AccuracyRow(epsilon, held[epsilon] / n, *wilson(held[epsilon], n)) for epsilon in epsilons
    ]


@torch.no_grad()
def correct(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """bool [N]: what the classifier gets right of pixels float32 [N, 3, H, W] with ``labels`` [N]."""
    predicted = classifier(images.to(classifier.device)).argmax(dim=1)
    return (predicted == labels.to(predicted.device)).cpu()


def robust_accuracy(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    norm: str,
    epsilons: Sequence[float],
    *,
    steps: int = 20,
    restarts: int = 1,
    seed: int = 0,
    batch: int | None = None,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> list[AccuracyRow]:
    """Accuracy at each ε for ``images`` uint8 [N, 3, H, W] with ``labels`` int64 [N], in the order given.

    An image counts as robust at ε when it is right on its own and no attack at ε or below has fooled the classifier. Each ε
    begins where the one below ended, so accuracy never rises with ε. ``on_batch(images done, N)`` reports progress.
    """
    batch = batch or max(1, BATCH_PIXELS // images[0].numel())
    ascending = sorted(set(epsilons))
    held = dict.fromkeys(ascending, 0)
    for start in range(0, len(images), batch):
        pixels = images[start : start + batch].float() / 255
        truth = labels[start : start + batch]
        standing = correct(classifier, pixels, truth).nonzero().flatten()
        best = pixels[standing]
        for epsilon in ascending:
            if epsilon > 0 and len(standing):
                # Whether is asked, not how surely: a sample that fell is left alone.
                attack = PGD(
                    Threat(norm, epsilon), steps=steps, restarts=restarts, seed=seed, until="fooled"
                )
                warm = None if epsilon == next(e for e in ascending if e > 0) else best
                result = attack(classifier, pixels[standing], truth[standing], initial=warm)
                standing, best = standing[~result.success], result.adversarial[~result.success]
            held[epsilon] += len(standing)
        on_batch(min(start + batch, len(images)), len(images))
    return accuracy_rows(held, len(images), epsilons)
