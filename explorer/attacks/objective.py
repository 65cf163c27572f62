"""What an attack raises: a loss of the logits, its value and its gradient for the images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from explorer.attacks.losses import LOSSES
from explorer.engine import GradientModel, map_chunks

# Beside a norm of this size the squares that float32 can't hold are nothing: a million values of
# 1e-19 have a norm of 1e-16.
SAFE_NORM = 1e-12


class Evaluation(NamedTuple):
    """An objective at a batch of M points.

    ``gradient`` [M, 3, H, W] times ``scale`` [M] is the gradient of ``loss`` [M] for the images; it
    is None where it was not asked for. ``logits`` is [M, C].
    """

    loss: Tensor
    scale: Tensor
    logits: Tensor
    gradient: Tensor | None

    @property
    def required_gradient(self) -> Tensor:
        """``gradient`` where it was asked for."""
        assert self.gradient is not None
        return self.gradient


@dataclass(frozen=True)
class Objective:
    """The loss named ``loss``, for ``labels`` int64 [M] or towards ``targets`` int64 [M]."""

    loss: str
    labels: Tensor
    targets: Tensor | None

    def __call__(self, surrogate: GradientModel, images: Tensor) -> Evaluation:
        """Loss, logits and gradient at ``images`` [M, 3, H, W], in chunks that fit the memory."""
        chunk = partial(self.evaluate, surrogate, images)
        return map_chunks(surrogate, images, chunk, kind="gradient")

    def evaluate(
        self, surrogate: GradientModel, images: Tensor, rows: slice = slice(None)
    ) -> Evaluation:
        """The same for some rows, in one chunk."""
        logits, vjp = surrogate.logits_vjp(images[rows])
        targets = None if self.targets is None else self.targets[rows]
        with torch.no_grad():
            loss = LOSSES[self.loss](logits, self.labels[rows], targets)
        return Evaluation(loss.value, loss.scale, logits, vjp(loss.logit_direction))

    def without_gradient(self, model: GradientModel, images: Tensor) -> Evaluation:
        """Loss and logits at ``images`` [M, 3, H, W], in chunks that fit the memory."""
        return map_chunks(
            model,
            images,
            lambda rows: self.select(rows).at_logits(model.logits(images[rows])),
            kind="loss",
        )

    def at_logits(self, logits: Tensor) -> Evaluation:
        """Loss without its gradient, of ``logits`` [M, C]."""
        loss = LOSSES[self.loss](logits, self.labels, self.targets)
        return Evaluation(loss.value, loss.scale, logits, None)

    def is_success(self, logits: Tensor) -> Tensor:
        """bool [M]: the prediction is wrong, or is the target if there is one."""
        predicted = logits.argmax(dim=1)
        return predicted != self.labels if self.targets is None else predicted == self.targets

    def select(self, rows: Tensor | slice) -> Objective:
        """The objective of some of the points."""
        targets = None if self.targets is None else self.targets[rows]
        return replace(self, labels=self.labels[rows], targets=targets)


def gradient_norm(evaluation: Evaluation) -> Tensor:
    """The L2 norm [M] of the loss's gradient for the images."""
    assert evaluation.gradient is not None
    return evaluation.scale * _l2_norm(evaluation.gradient)


def _l2_norm(gradient: Tensor) -> Tensor:
    """The L2 norm per sample, summed in float64 where squares could underflow in float32."""
    flat = gradient.flatten(1)
    if gradient.device.type == "cpu":  # reading values costs nothing there, float64 a copy of all
        norm: Tensor = torch.linalg.vector_norm(flat, dim=1)
        if min(norm.tolist()) > SAFE_NORM:
            return norm
    if gradient.device.type == "mps":  # it has no float64
        largest = flat.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny)
        norm = torch.linalg.vector_norm(flat / largest[:, None], dim=1) * largest
    else:
        norm = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64).float()
    return norm
