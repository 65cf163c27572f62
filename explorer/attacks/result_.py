"""What an attack returns: plain tensors, no model."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Trace:
    """The path of an attack, for the restart that was kept: T steps make T + 1 points, the start and each iterate.

    ``loss`` float32 [T + 1, N] is the attack's objective, which it raises (CE of the label; minus the CE of the target when
    targeted; the margin; DLR). ``logits`` float32 [T + 1, N, C]. ``gradient_norm`` float32 [T, N]: L2 norm of the
    objective's gradient at each point a step was taken from. ``distance`` float32 [T + 1, N] from the original, in the
    threat's norm. ``success`` bool [T + 1, N]. ``kept`` int64 [N]: the point that became the result.
    ``frames`` float32 [T + 1, N, 3, H, W] when asked for, else None.
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
        """bool [N]: success at the point that was kept, as the attack saw it while it climbed."""
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

    def to(self, device: torch.device) -> Trace:
        """The same trace on another device."""
        tensors = {item.name: getattr(self, item.name) for item in fields(self)}
        return replace(
            self, **{name: value.to(device) for name, value in tensors.items() if value is not None}
        )


@dataclass(frozen=True)
class AttackResult:
    """``adversarial`` float32 [N, 3, H, W]; ``success`` bool [N], decided in float32 by the classifier itself; ``logits``
    float32 [N, C] at the adversarial image; the :class:`Trace`; the ``precision`` the attack climbed in."""

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
