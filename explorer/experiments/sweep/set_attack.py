"""The attack that the experiments on sets of images share, and how they cut a set into batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks import PGD, AttackError, OnStep, Threat

# Values in one attacked batch: enough work for two cores, and it fits any memory.
BATCH_VALUES = 100 * 3 * 64 * 64

OnProgress = Callable[[int, int], None]
"""``on_progress(units done, units)``; a unit is a step of the attack on one batch."""


def ignore_progress(done: int, total: int) -> None:
    """The progress callback that does nothing."""


def steps_within(on_progress: OnProgress, done: int, total: int) -> OnStep:
    """The callback of an attack that begins when ``done`` of ``total`` steps are done."""
    return lambda step, steps, loss: on_progress(done + step, total)


@dataclass(frozen=True)
class SetAttack:
    """PGD on a set of images: the settings that do not change with ε.

    They are those of :class:`~explorer.attacks.PGD`.
    """

    norm: str
    steps: int = 20
    restarts: int = 1
    seed: int = 0
    precision: str = "auto"

    def at(self, epsilon: float | Tensor, *, stop_on_success: bool = False) -> PGD:
        """The attack at ``epsilon``, a number or float32 [N]. Raises :class:`AttackError`."""
        return PGD(
            Threat(self.norm, epsilon),
            steps=self.steps,
            restarts=self.restarts,
            seed=self.seed,
            precision=self.precision,
            stop_on_success=stop_on_success,
        )

    def check(self, epsilons: Sequence[float]) -> None:
        """Raise :class:`AttackError` for settings that can't be used at any of ``epsilons``."""
        for epsilon in epsilons:
            self.at(epsilon)

    def largest_epsilon(self, image: Tensor) -> float:
        """The largest distance between two images like ``image`` [C, H, W]."""
        return 1.0 if self.norm == "linf" else float(image.numel() ** 0.5)

    def check_for(self, image: Tensor, epsilons: Sequence[float]) -> None:
        """Raise :class:`AttackError` where an ε is beyond all images like ``image`` [C, H, W]."""
        self.check(epsilons)
        largest, most = self.largest_epsilon(image), max(epsilons, default=0.0)
        if most > largest:
            raise AttackError(
                f"epsilon must not exceed {largest:.1f}, the L2 distance from black to white at "
                f"this size; it is {most:g}"
            )


def batch_size(images: Tensor, points: int = 1) -> int:
    """How many of ``images`` [N, C, H, W] are attacked at once, at ``points`` values of ε each."""
    return max(1, BATCH_VALUES // (points * images[0].numel()))


def pixels_of(images: Tensor) -> Tensor:
    """float32 in [0, 1] of ``images`` uint8."""
    return images.float() / 255


def label_probability(logits: Tensor, labels: Tensor) -> Tensor:
    """The probability of each image's label, float32 [N] for ``logits`` [N, C]."""
    return logits.softmax(dim=1).gather(1, labels[:, None].to(logits.device))[:, 0]


def same_prediction(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether the prediction is the label: bool [N] for ``logits`` [N, C]."""
    predicted: Tensor = logits.argmax(dim=1)
    return predicted == labels.to(predicted.device)


def rows_where(mask: Tensor) -> Tensor:
    """int64: the indices at which ``mask`` [N] is true."""
    rows: Tensor = torch.nonzero(mask).flatten()
    return rows
