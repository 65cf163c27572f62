"""Objectives an attack raises, one value per sample: cross-entropy, the margin (CW) and DLR; untargeted and targeted.

Each is a function of ``logits`` float32 [N, C] and ``classes`` int64 [N] (the label; the target when ``targeted``) that returns
an :class:`Objective`: what is reported, and where to go. Losses are never averaged over a batch: a mean would
shrink every gradient with the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Objective:
    """``value`` [N] is the objective. ``ascent`` [N, C] is a direction in logits along which it rises: times ``slope`` [N] it is the
    objective's gradient for the logits, so that both give the same normalised step."""

    value: Tensor
    ascent: Tensor
    slope: Tensor


def _without(logits: Tensor, classes: Tensor) -> Tensor:
    """``logits`` with the entry of each sample's class at −∞."""
    return logits.scatter(1, classes[:, None], float("-inf"))


def _pick(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes[:, None]).squeeze(1)


def _differentiated(objective: Callable[[Tensor], Tensor], logits: Tensor) -> Objective:
    """An objective whose own gradient serves."""
    with torch.enable_grad():
        point = logits.detach().requires_grad_(True)
        value = objective(point)
        (gradient,) = torch.autograd.grad(value.sum(), point)
    return Objective(value.detach(), gradient, torch.ones_like(value.detach()))


def cross_entropy(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Objective:
    """CE of the label, or minus the CE of the target.

    CE = softplus(s) with s = logsumexp of the other logits − the class's own. ∇CE = σ(s) ∇s, and σ(s) is 2e-9 at a margin of
    20 and 0 in float32 at 105, where the gradient would vanish; ∇s points the same way and never does. It is the softmax of the other
    logits, and −1 at the class's own.
    """
    classes = labels if targets is None else targets
    sign = 1.0 if targets is None else -1.0
    others = _without(logits.detach(), classes)
    most = torch.logsumexp(others, dim=1)
    odds = most - _pick(logits.detach(), classes)
    ascent = (others - most[:, None]).exp_().scatter_(1, classes[:, None], -1.0)
    return Objective(sign * F.softplus(odds), sign * ascent, torch.sigmoid(odds))


def margin(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Objective:
    """max of the other logits − the label's (Carlini & Wagner 2017, f₆ with κ = −∞); targeted: the target's − the max of the
    others. Positive exactly when the attack succeeds."""
    classes = labels if targets is None else targets
    sign = 1.0 if targets is None else -1.0
    return _differentiated(
        lambda point: sign * (_without(point, classes).amax(dim=1) - _pick(point, classes)), logits
    )


def dlr(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Objective:
    """Difference of logits ratio (Croce & Hein 2020, arXiv 2003.01690, eq. 6 and 7): invariant to shift and scale of the
    logits. Needs at least 3 classes, 4 when targeted."""

    def ratio(point: Tensor) -> Tensor:
        ordered = point.sort(dim=1, descending=True).values
        if targets is None:
            spread = ordered[:, 0] - ordered[:, 2]
            value = _without(point, labels).amax(dim=1) - _pick(point, labels)
        else:
            spread = ordered[:, 0] - (ordered[:, 2] + ordered[:, 3]) / 2
            value = _pick(point, targets) - _pick(point, labels)
        return value / (spread + 1e-12)

    return _differentiated(ratio, logits)


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor | None], Objective]] = {
    "ce": cross_entropy,
    "cw": margin,
    "dlr": dlr,
}
