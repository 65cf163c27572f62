"""Losses that an attack raises, one value per sample: cross-entropy, margin (CW) and DLR.

Each is a function of ``logits`` float32 [N, C], ``labels`` int64 [N] and, for a targeted attack,
``targets`` int64 [N], and returns a :class:`LossValue`. Losses are never averaged over a batch: a
mean would shrink every gradient with the batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class LossValue:
    """``value`` [N], and the direction in logits along which it rises.

    ``logit_direction`` [N, C] times ``scale`` [N] is the loss's gradient for the logits, so that
    both give the same normalised step.
    """

    value: Tensor
    logit_direction: Tensor
    scale: Tensor


def _without(logits: Tensor, classes: Tensor) -> Tensor:
    """``logits`` with the entry of each sample's class at −∞."""
    return logits.scatter(1, classes[:, None], float("-inf"))


def _pick(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes[:, None]).squeeze(1)


def _differentiated(loss: Callable[[Tensor], Tensor], logits: Tensor) -> LossValue:
    """A loss whose own gradient is the direction."""
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_(True)
        value = loss(leaf)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return LossValue(value.detach(), gradient, torch.ones_like(value.detach()))


def cross_entropy(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> LossValue:
    """CE of the label, or minus the CE of the target.

    CE = softplus(s) with s = logsumexp of the other logits − the class's own. ∇CE = σ(s) ∇s, and
    σ(s) is 2e-9 at a margin of 20 and 0 in float32 at 105, where the gradient would vanish. ∇s
    points the same way and never vanishes: it is the softmax of the other logits, and −1 at the
    class's own.
    """
    classes = labels if targets is None else targets
    sign = 1.0 if targets is None else -1.0
    others = _without(logits.detach(), classes)
    others_sum = torch.logsumexp(others, dim=1)
    log_odds = others_sum - _pick(logits.detach(), classes)
    direction = (others - others_sum[:, None]).exp_().scatter_(1, classes[:, None], -1.0)
    return LossValue(sign * F.softplus(log_odds), sign * direction, torch.sigmoid(log_odds))


def margin(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> LossValue:
    """max of the other logits − the label's; targeted: the target's − the max of the others.

    It is f₆ of Carlini & Wagner 2017 with κ = −∞, and positive exactly when the attack succeeds.
    """
    classes = labels if targets is None else targets
    sign = 1.0 if targets is None else -1.0

    def difference(leaf: Tensor) -> Tensor:
        return sign * (_without(leaf, classes).amax(dim=1) - _pick(leaf, classes))

    return _differentiated(difference, logits)


def dlr(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> LossValue:
    """Difference of logits ratio (Croce & Hein 2020, arXiv 2003.01690, eq. 6 and 7).

    It does not change when the logits are shifted or scaled. It needs at least 3 classes, 4 when
    targeted.
    """

    def ratio(leaf: Tensor) -> Tensor:
        ordered = leaf.sort(dim=1, descending=True).values
        if targets is None:
            spread = ordered[:, 0] - ordered[:, 2]
            difference = _without(leaf, labels).amax(dim=1) - _pick(leaf, labels)
        else:
            spread = ordered[:, 0] - (ordered[:, 2] + ordered[:, 3]) / 2
            difference = _pick(leaf, targets) - _pick(leaf, labels)
        return difference / (spread + 1e-12)

    return _differentiated(ratio, logits)


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor | None], LossValue]] = {
    "ce": cross_entropy,
    "cw": margin,
    "dlr": dlr,
}
