"""Robust accuracy by AutoAttack, or by its APGD alone, in the implementation of its authors.

Croce and Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse
parameter-free attacks" (arXiv 2003.01690). The package ``pyautoattack`` shares nothing with this
project's attack loop, losses and optimized copies: gradients are the classifier's, in float32.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor

from explorer.attacks.threat import flat_norm
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.errors import UserError
from explorer.experiments.evaluation.robust_accuracy import (
    BATCH_VALUES,
    AccuracyRow,
    accuracy_rows,
    is_correct,
)
from explorer.ranks import ALONE, Ranks

LIBRARY = "pyautoattack"
NORMS = {"linf": "Linf", "l2": "L2"}
APGD_CE, APGD_T, FAB_T, SQUARE = "APGD-CE", "APGD-T", "FAB-T", "Square"
ATTACKS = {"apgd": (APGD_CE, APGD_T), "autoattack": (APGD_CE, APGD_T, FAB_T, SQUARE)}
STEPS, QUERIES, TARGETS = 100, 5000, 9  # of AutoAttack's standard version
TARGETED_CLASSES = 4  # the fewest with which the targeted DLR loss is defined
SMALLEST_SIDE = 5  # pixels: Square divides images into fifths
TOLERANCE = 1e-5  # by which rounding in float32 may exceed ε, in pixels of [0, 1]

Logits = Callable[[Tensor], Tensor]

# The library warns here of what explorer.experiments.trust says in its own words.
SILENT = logging.getLogger("explorer.pyautoattack")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False


def library_module(name: str) -> Any:
    """A module of the library. Raises :class:`~explorer.errors.UserError` without the library."""
    try:
        return import_module(f"{LIBRARY}.{name}")
    except ImportError:
        raise UserError(
            f"APGD and Square come from {LIBRARY}, which is not installed: pip install {LIBRARY}"
        ) from None


def library_version() -> dict[str, str]:
    """The version of the library, beside those of ``one_image.attack_image.versions``."""
    return {LIBRARY: str(import_module(LIBRARY).__version__)}


def check_size(images: Tensor) -> None:
    """Raise :class:`~explorer.errors.UserError` where Square can't attack images of this size."""
    if min(images.shape[-2:]) < SMALLEST_SIDE:
        raise UserError(f"Square needs images of at least {SMALLEST_SIDE} × {SMALLEST_SIDE} pixels")


@dataclass(frozen=True)
class AutoAttack:
    """The attacks named in ``names`` one after the other, each on what is left.

    ``steps`` and ``restarts`` are APGD's; the others are as AutoAttack's standard version has them.
    APGD-T needs four classes, and is left out with fewer.
    """

    norm: str
    names: tuple[str, ...] = ATTACKS["autoattack"]
    steps: int = STEPS
    restarts: int = 1
    seed: int = 0

    def run(
        self, name: str, classifier: Classifier, images: Tensor, labels: Tensor, epsilon: float
    ) -> Tensor:
        """What the attack called ``name`` makes of ``images`` float32 [N, C, H, W] in [0, 1].

        An image on which it fails comes back as it was. The library draws from torch's global
        random numbers, whose state is restored afterwards.
        """
        attack = self._attack(name, classifier, epsilon)
        with torch.random.fork_rng(), evaluation_mode(classifier):
            adversarial: Tensor = attack.perturb(images.clone(), labels.clone())
        length = flat_norm(adversarial - images, self.norm)
        outside = (length > epsilon + TOLERANCE)[:, None, None, None]
        return torch.where(outside, images, adversarial)

    def names_for(self, classes: int) -> tuple[str, ...]:
        """Those of the attacks that a classifier with so many classes allows."""
        return tuple(name for name in self.names if name != APGD_T or classes >= TARGETED_CLASSES)

    def _attack(self, name: str, classifier: Classifier, epsilon: float) -> Any:
        norm, targets = NORMS[self.norm], min(TARGETS, len(classifier.labels) - 1)
        common: dict[str, Any] = {
            "norm": norm,
            "eps": epsilon,
            "seed": self.seed,
            "device": classifier.device,
        }
        apgd: dict[str, Any] = {
            "n_iter": self.steps,
            "n_restarts": self.restarts,
            "logger": SILENT,
            **common,
        }
        if name == APGD_CE:
            return library_module("autopgd_base").APGDAttack(classifier, loss="ce", **apgd)
        if name == APGD_T:
            kind = library_module("autopgd_base").APGDAttack_targeted
            return kind(classifier, n_target_classes=targets, **apgd)
        if name == FAB_T:
            kind = library_module("fab_pt").FABAttack_PT
            options = {"targeted": True, "n_target_classes": targets, "n_iter": STEPS}
            return kind(classifier, **options, **common)
        kind = library_module("square").SquareAttack
        return kind(classifier, n_queries=QUERIES, resc_schedule=False, **common)


@dataclass(frozen=True)
class AutoAttackResult:
    """Accuracy at each ε, and which attack fooled how many images, over all ε."""

    rows: list[AccuracyRow]
    fooled: dict[str, int]


def auto_attack_accuracy(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    attack: AutoAttack,
    epsilons: Sequence[float],
    *,
    ranks: Ranks = ALONE,
    on_batch: Callable[[int, int], None] = lambda done, total: None,
) -> AutoAttackResult:
    """Accuracy under ``attack`` at each of ``epsilons``, in their order.

    ``images`` are uint8 [N, C, H, W], ``labels`` int64 [N]. An image that was fooled at one ε
    counts so at every larger one. ``on_batch(images done, N)`` reports progress; several ``ranks``
    share the batches and all get the same result. Raises :class:`~explorer.errors.UserError` where
    the library is not installed or can't take these images.
    """
    names = attack.names_for(len(classifier.labels))
    if SQUARE in names:
        check_size(images)
    batch = max(1, BATCH_VALUES // images[0].numel())
    ascending = sorted(set(epsilons))
    robust_counts, fooled = dict.fromkeys(ascending, 0), dict.fromkeys(names, 0)
    for start in ranks.share(range(0, len(images), batch)):
        pixels = images[start : start + batch].float() / 255
        truth = labels[start : start + batch]
        correct = is_correct(classifier, pixels, truth)
        pixels, truth = pixels[correct].to(classifier.device), truth[correct].to(classifier.device)
        for epsilon in ascending:
            for name in names if epsilon > 0 else ():
                if not len(pixels):
                    break
                adversarial = attack.run(name, classifier, pixels, truth, epsilon)
                robust = is_correct(classifier, adversarial, truth)
                fooled[name] += int((~robust).sum())
                pixels, truth = pixels[robust], truth[robust]
            robust_counts[epsilon] += len(pixels)
        on_batch(min(start + batch, len(images)), len(images))
    shares = ranks.gather((robust_counts, fooled))
    total = {epsilon: sum(counts[epsilon] for counts, _ in shares) for epsilon in ascending}
    by_attack = {name: sum(each[name] for _, each in shares) for name in names}
    return AutoAttackResult(accuracy_rows(total, len(images), epsilons), by_attack)
