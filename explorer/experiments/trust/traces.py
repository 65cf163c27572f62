"""What the trace of an attack shows without another pass of the network."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.attacks import AttackResult, Trace
from explorer.attacks.losses import LOSSES
from explorer.classifiers.outputs import are_probabilities
from explorer.experiments.trust.evidence import FAINT, Evidence

# A cross-entropy's scale, below which the norm of its gradient may be zero by underflow alone.
SMALLEST_SCALE = 1e-6
# The margin at which every other class has the probability 0 in float32, and at which the
# logarithms of probabilities end (explorer.classifiers.outputs).
SATURATED_MARGIN = 87.0
# What the second half of the steps must add to count as rising: a share of the rise of all steps,
# and of what is still missing. Bundled classifiers stay below 5 % of the first.
RISING_SHARE, MISSING_SHARE = 0.1, 0.02


def trace_evidence(
    result: AttackResult, labels: Tensor, targets: Tensor | None = None, loss: str = "ce"
) -> Evidence:
    """What ``result`` shows of its N images; ``labels`` and ``targets`` are int64 [N]."""
    trace = result.trace
    dtype = torch.bfloat16 if result.precision == "bfloat16" else torch.float32
    return Evidence(
        images=len(labels),
        succeeded=int(result.success.sum()),
        faint=int((result.success & (confidence(result.logits) < FAINT)).sum()),
        zero_gradient=int(has_zero_gradient(trace, labels, targets, loss).sum()),
        probabilities=sum(
            are_probabilities(trace.logits[:, row], dtype)
            for row in (trace.logits >= 0).all(dim=2).all(dim=0).nonzero().flatten()
        ),
        saturated=int(is_saturated(trace).sum()),
        rising=int((is_rising(trace, labels, targets) & ~result.success).sum()),
    )


def confidence(logits: Tensor) -> Tensor:
    """The probability of the most probable class, float32 [N] for ``logits`` [N, C]."""
    return logits.softmax(dim=1).amax(dim=1)


def has_zero_gradient(trace: Trace, labels: Tensor, targets: Tensor | None, loss: str) -> Tensor:
    """bool [N]: whether the gradient was exactly zero wherever a step should have been taken.

    The norm in the trace is a product with the loss's scale, which underflows where the classifier
    is very confident. There the gradient was zero only if the step changed no logit.
    """
    zero = trace.gradient_norm == 0
    if not bool(zero.all(dim=0).any()):
        return zero.all(dim=0)
    points = trace.logits[:-1]
    scale = torch.stack([LOSSES[loss](logits, labels, targets).scale for logits in points])
    same_logits = (points == trace.logits[1:]).all(dim=2)
    return (zero & ((scale > SMALLEST_SCALE) | same_logits)).all(dim=0)


def is_saturated(trace: Trace) -> Tensor:
    """bool [N]: whether one class has all the probability in float32, at every point."""
    if trace.logits.shape[2] < 2:
        return torch.zeros_like(trace.success[0])
    largest = trace.logits.topk(2, dim=2).values
    return (largest[..., 0] - largest[..., 1] >= SATURATED_MARGIN).all(dim=0)


def is_rising(trace: Trace, labels: Tensor, targets: Tensor | None) -> Tensor:
    """bool [N]: whether the second half of the steps still raised the margin noticeably.

    Its best value so far can only rise, so that an attack that swings around a maximum has
    converged.
    """
    best = attack_margin(trace.logits, labels, targets).cummax(dim=0).values
    first, middle, last = best[0], best[trace.steps // 2], best[-1]
    gain = last - middle
    return (gain > RISING_SHARE * (last - first)) & (gain > MISSING_SHARE * -last)


def attack_margin(logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """How far the attack is beyond what it aims at: [T, N] of ``logits`` [T, N, C].

    Untargeted it is the greatest other logit minus the label's, targeted the target's minus the
    greatest other one: positive where the attack succeeds.
    """
    classes = (labels if targets is None else targets).expand(len(logits), -1)[..., None]
    others = logits.scatter(2, classes, float("-inf")).amax(dim=2)
    margin = others - logits.gather(2, classes)[..., 0]
    return margin if targets is None else -margin
