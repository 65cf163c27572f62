"""The rule "momentum": Nesterov's accelerated ascent along a short average of the gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from explorer.attacks.threat import per_sample

DECAY = 0.3  # of the gradients before, from step to step
# Of the step just taken, (t + 1)/(t + 6) is taken again, at most 0.9.
MAX_SHARE, DELAY = 0.9, 5
LONGEST_SCALE = 2.0  # of a step without a constant step size, in ε


class Ascent(Protocol):
    """What a rule needs of a batch of images in their threat."""

    def step(self, images: Tensor, gradient: Tensor, scale: float | Tensor) -> Tensor:
        """``images`` after a step of ``scale`` times the whole step, projected into the threat."""
        ...

    def project(self, points: Tensor) -> Tensor:
        """The nearest images in the threat; ``points`` may be overwritten."""
        ...


def lookahead(step: int) -> float:
    """The share of ``step`` (0, 1, …) that is taken once more, before the next gradient."""
    return min(MAX_SHARE, (step + 1) / (step + 1 + DELAY))


@dataclass(frozen=True)
class Momentum:
    """What the rule remembers of M rows, both [M, 3, H, W].

    ``average`` is Σ 0.3ⁱ g/mean|g| of the gradients i steps ago, ``reached`` the point of the last
    step without its lookahead (Nesterov 1983; momentum in an attack: Dong et al. 2018, eq. 6).
    """

    average: Tensor
    reached: Tensor

    @staticmethod
    def at(start: Tensor) -> Momentum:
        """Before the first step, at ``start`` [M, 3, H, W]."""
        return Momentum(torch.zeros_like(start), start.clone())

    def select(self, rows: Tensor) -> Momentum:
        """Some of the rows, int64 [K]."""
        return Momentum(self.average[rows], self.reached[rows])

    def restart(self, start: Tensor) -> None:
        """As :meth:`at`, in the same tensors."""
        self.average.zero_()
        self.reached.copy_(start)

    def step(
        self,
        batch: Ascent,
        images: Tensor,
        gradient: Tensor,
        scale: float | Tensor,
        share: float | Tensor,
    ) -> Tensor:
        """The next point after ``images``, whose gradient it is; remembers both, in its tensors."""
        size = gradient.abs().flatten(1).mean(dim=1)
        size = per_sample(torch.where(size > 0, size, 1.0), gradient)
        self.average.mul_(DECAY).add_(gradient / size)
        reached = batch.step(images, self.average, scale)
        ahead = (reached - self.reached).mul_(share).add_(reached)
        self.reached.copy_(reached)
        return batch.project(ahead)
