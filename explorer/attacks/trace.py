"""What an attack returns: plain tensors, no model."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Trace:
    """The path of an attack, for the restart that was kept. T steps make T + 1 points.

    ``loss`` float32 [T + 1, N] is what the attack raises (CE of the label; minus the CE of the
    target when targeted; the margin; DLR). ``logits`` float32 [T + 1, N, C]. ``gradient_norm``
    float32 [T, N]: the L2 norm of the loss's gradient at each point a step was taken from.
    ``distance`` float32 [T + 1, N] from the original, in the threat's norm. ``success`` bool
    [T + 1, N]. ``kept`` int64 [N]: the point that became the result. ``frames`` float32
    [T + 1, N, 3, H, W] if they were asked for, else None.
    """

    loss: Tensor
    logits: Tensor
    gradient_norm: Tensor
    distance: Tensor
    success: Tensor
    kept: Tensor
    frames: Tensor | None = None

    @property
    def steps(self) -> int:
        return len(self.loss) - 1

    @property
    def success_at_kept(self) -> Tensor:
        """bool [N]: success at the point that was kept, by the model that gave the gradients."""
        return self.success.gather(0, self.kept[None])[0]

    def replaced(self, rows: Tensor, other: Trace) -> Trace:
        """The same with the samples at ``rows`` taken from ``other``, in its order."""
        changed = {}
        for item in fields(self):
            mine, theirs = getattr(self, item.name), getattr(other, item.name)
            if mine is not None:
                dim = 0 if item.name == "kept" else 1
                changed[item.name] = mine.index_copy(dim, rows, theirs.to(mine.dtype))
        return replace(self, **changed)

    def at_kept(self, loss: Tensor, logits: Tensor, success: Tensor) -> Trace:
        """The same with what the classifier itself says at the point that was kept."""
        at = self.kept[None]
        return replace(
            self,
            loss=self.loss.scatter(0, at, loss[None]),
            logits=self.logits.scatter(0, at[..., None].expand(1, *logits.shape), logits[None]),
            success=self.success.scatter(0, at, success[None]),
        )

    def to(self, device: torch.device) -> Trace:
        """The same trace on another device."""
        tensors = {item.name: getattr(self, item.name) for item in fields(self)}
        moved = {name: value.to(device) for name, value in tensors.items() if value is not None}
        return replace(self, **moved)


@dataclass(frozen=True)
class AttackResult:
    """``adversarial`` float32 [N, 3, H, W] with what the classifier says of it.

    ``success`` bool [N] and ``logits`` float32 [N, C] are the classifier's own, in float32;
    ``precision`` is that of the attack's gradients.
    """

    adversarial: Tensor
    success: Tensor
    logits: Tensor
    trace: Trace
    precision: str = "float32"

    def replaced(self, rows: Tensor, other: AttackResult) -> AttackResult:
        """The same with the samples at ``rows`` taken from ``other``, in its order."""
        return replace(
            self,
            adversarial=self.adversarial.index_copy(0, rows, other.adversarial),
            success=self.success.index_copy(0, rows, other.success),
            logits=self.logits.index_copy(0, rows, other.logits),
            trace=self.trace.replaced(rows, other.trace),
        )

    def to(self, device: torch.device) -> AttackResult:
        """The same result on another device."""
        return replace(
            self,
            adversarial=self.adversarial.to(device),
            success=self.success.to(device),
            logits=self.logits.to(device),
            trace=self.trace.to(device),
        )
