"""Robust accuracy by an independent attack: Auto-PGD, in the implementation of torchattacks.

Croce and Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks" (arXiv 2003.01690).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.errors import UserError
from explorer.experiments.evaluation.robust_accuracy import AccuracyRow, accuracy_rows, is_correct

APGD = "APGD"
APGD_TEXT = "APGD on cross-entropy, then targeted APGD on DLR (torchattacks)"
BATCH = 250  # images that are attacked at once
SEED = 0  # torchattacks draws each random start from this seed


def apgd_accuracy(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    epsilons: Sequence[float],
    *,
    steps: int = 20,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> list[AccuracyRow]:
    """L2 accuracy at each ε, under APGD on cross-entropy and then targeted APGD on DLR.

    ``images`` are uint8 [N, 3, H, W], ``labels`` int64 [N]; the second attack takes the images on
    which the first one fails. An image misclassified at one ε counts so at every larger one.
    ``on_batch(images done, N)`` reports progress. Raises :class:`~explorer.errors.UserError` where
    torchattacks is not installed.
    """
    try:
        from torchattacks import APGD as Untargeted
        from torchattacks import APGDT as Targeted
    except ImportError:
        raise UserError(
            "APGD comes from torchattacks: pip install --no-deps torchattacks"
        ) from None
    classes = {"n_classes": len(classifier.labels)}
    attacks: tuple[tuple[Any, dict[str, int]], ...] = ((Untargeted, {}), (Targeted, classes))
    ascending = sorted(set(epsilons))
    robust_counts = dict.fromkeys(ascending, 0)
    for start in range(0, len(images), BATCH):
        pixels, truth = images[start : start + BATCH].float() / 255, labels[start : start + BATCH]
        remaining = is_correct(classifier, pixels, truth)
        pixels = pixels[remaining].to(classifier.device)
        truth = truth[remaining].to(classifier.device)
        for epsilon in ascending:
            for kind, options in attacks:
                if epsilon == 0 or not len(pixels):
                    continue
                attack = kind(classifier, norm="L2", eps=epsilon, steps=steps, seed=SEED, **options)
                with torch.random.fork_rng():  # torchattacks seeds the global generator
                    robust = is_correct(classifier, attack(pixels, truth), truth)
                pixels, truth = pixels[robust], truth[robust]
            robust_counts[epsilon] += len(pixels)
        on_batch(min(start + BATCH, len(images)), len(images))
    return accuracy_rows(robust_counts, len(images), epsilons)
