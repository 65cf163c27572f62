"""Robust accuracy: the share of images that a classifier still gets right under attack."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks import PGD, AttackError, AttackResult, Threat
from explorer.attacks.settings import PLAIN
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.experiments.effort import with_effort
from explorer.ranks import ALONE, Ranks

Z95 = 1.959963984540054  # two-sided 95 % quantile of the normal distribution
# Values in one attacked batch: enough work for two cores, and it fits any memory.
BATCH_VALUES = 100 * 3 * 64 * 64

OnAttack = Callable[[Tensor, Tensor, PGD, AttackResult], object]
"""``on_attack(images, labels, attack, result)``, after each attack on correctly classified images.

It is what :meth:`explorer.experiments.trust.TrustCheck.add` takes.
"""


@dataclass(frozen=True)
class AccuracyRow:
    """The accuracy under attack at ``epsilon``, from 0 to 1, with its 95 % Wilson interval."""

    epsilon: float
    accuracy: float
    low: float
    high: float


def wilson(correct: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson 1927), valid near 0 and 1 too."""
    if n == 0:
        return 0.0, 1.0
    share, z = correct / n, Z95
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # The ends are exact: rounding would leave 1e-17 in place of 0.
    return (middle - half if correct else 0.0), (middle + half if correct < n else 1.0)


def accuracy_rows(
    robust_counts: dict[float, int], n: int, epsilons: Sequence[float]
) -> list[AccuracyRow]:
    """One row for each of ``epsilons``, in their order.

    ``robust_counts`` has, for each ε, how many of ``n`` images are still classified correctly.
    """
    return [
        AccuracyRow(epsilon, robust_counts[epsilon] / n, *wilson(robust_counts[epsilon], n))
        for epsilon in epsilons
    ]


@torch.no_grad()
def is_correct(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Whether each image is classified correctly in evaluation mode: bool [N], on the CPU.

    ``images`` are float32 [N, C, H, W] in [0, 1], ``labels`` int64 [N].
    """
    with evaluation_mode(classifier):
        logits: Tensor = classifier(images.to(classifier.device))
    predicted = logits.argmax(dim=1)
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
    precision: str = "auto",
    rule: str = PLAIN,
    effort: str = "",
    ranks: Ranks = ALONE,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
    on_attack: OnAttack = lambda images, labels, attack, result: None,
) -> list[AccuracyRow]:
    """Accuracy under PGD at each of ``epsilons``, in their order.

    ``images`` are uint8 [N, 3, H, W], ``labels`` int64 [N]. An image counts as robust at ε when it
    is classified correctly and no attack at ε or below succeeds. The attack at each ε starts from
    the result at the ε before, so that accuracy never rises with ε. ``effort`` is that of
    :func:`~explorer.experiments.effort.with_effort`. ``on_batch(images done, N)``
    reports progress. Several ``ranks`` share the batches, which are those of one process, and all
    get the same rows. Raises :class:`AttackError` for an L2 ε that is larger than any distance
    between two images.
    """
    largest = images[0].numel() ** 0.5
    if norm == "l2" and any(epsilon > largest for epsilon in epsilons):
        raise AttackError(
            f"epsilon must not exceed {largest:.1f}, the L2 distance from black to white at this "
            f"size; it is {max(epsilons):g}"
        )
    batch = max(1, BATCH_VALUES // images[0].numel())
    ascending = sorted(set(epsilons))
    robust_counts = dict.fromkeys(ascending, 0)
    for start in ranks.share(range(0, len(images), batch)):
        pixels = images[start : start + batch].float() / 255
        truth = labels[start : start + batch]
        remaining = is_correct(classifier, pixels, truth).nonzero().flatten()
        initial: Tensor | None = None
        for epsilon in ascending:
            if epsilon > 0 and len(remaining):
                # Only whether the attack succeeds matters here, not by how much.
                threat = Threat(norm, epsilon)
                attack = PGD(
                    threat,
                    steps=steps,
                    restarts=restarts,
                    seed=seed,
                    precision=precision,
                    rule=rule,
                    stop_on_success=True,
                )
                run = with_effort(attack, effort)
                result = run(classifier, pixels[remaining], truth[remaining], initial=initial)
                on_attack(pixels[remaining], truth[remaining], attack, result)
                robust = ~result.success
                remaining, initial = remaining[robust], result.adversarial[robust]
            robust_counts[epsilon] += len(remaining)
        on_batch(min(start + batch, len(images)), len(images))
    counts = ranks.gather(robust_counts)
    total = {epsilon: sum(each[epsilon] for each in counts) for epsilon in ascending}
    return accuracy_rows(total, len(images), epsilons)
