"""Objectives an attack raises, one value per sample: cross-entropy, the margin (CW) and DLR; untargeted and targeted.

Each is a function of ``logits`` float32 [N, C] and ``classes`` int64 [N] (the label; the target when ``targeted``) that returns
an :class:`Objective`: what is reported, and what is differentiated. Losses are never averaged over a batch: a mean would
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
    """``value`` [N] is the objective. ``ascent`` [N] is differentiated in its place: its gradient times ``slope`` [N]
    is the objective's, so that both give the same normalised step."""

    value: Tensor
    ascent: Tensor
    slope: Tensor


def _without(logits: Tensor, classes: Tensor) -> Tensor:
    """``logits`` with the entry of each sample's class at −∞."""
    return logits.scatter(1, classes[:, None], float("-inf"))


def _pick(logits: Tensor, classes: Tensor) -> Tensor:
    return logits.gather(1, classes[:, None]).squeeze(1)


def _itself(value: Tensor) -> Objective:
    return Objective(value.detach(), value, torch.ones_like(value.detach()))


def cross_entropy(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Objective:
    """CE of the label, or minus the CE of the target.

    CE = softplus(s) with s = logsumexp of the other logits − the class's own. ∇CE = σ(s) ∇s, and σ(s) is 2e-9 at a margin of
    20 and 0 in float32 at 105, where the gradient would vanish; ∇s points the same way and never does.
    """
    classes = labels if targets is None else targets
    sign = 1.0 if targets is None else -1.0
    odds = torch.logsumexp(_without(logits, classes), dim=1) - _pick(logits, classes)
    return Objective(sign * F.softplus(odds.detach()), sign * odds, torch.sigmoid(odds.detach()))


def margin(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Objective:
    """max of the other logits − the label's (Carlini & Wagner 2017, f₆ with κ = −∞); targeted: the target's − the max of the
    others. Positive exactly when the attack succeeds."""
    classes = labels if targets is None else targets
    value = _without(logits, classes).amax(dim=1) - _pick(logits, classes)
    return _itself(value if targets is None else -value)


def dlr(logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Objective:
    """Difference of logits ratio (Croce & Hein 2020, arXiv 2003.01690, eq. 6 and 7): invariant to shift and scale of the
    logits. Needs at least 3 classes, 4 when targeted."""
    ordered = logits.sort(dim=1, descending=True).values
    if targets is None:
        spread = ordered[:, 0] - ordered[:, 2]
        value = _without(logits, labels).amax(dim=1) - _pick(logits, labels)
    else:
        spread = ordered[:, 0] - (ordered[:, 2] + ordered[:, 3]) / 2
        value = _pick(logits, targets) - _pick(logits, labels)
    return _itself(value / (spread + 1e-12))


LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor | None], Objective]] = {
    "ce": cross_entropy,
    "cw": margin,
    "dlr": dlr,
}
