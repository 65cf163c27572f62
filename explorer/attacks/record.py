"""What an attack remembers while it climbs: every point's numbers, and per sample the best point so far."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.attacks.result import Trace


class Recorder:
    """Collects the points of R restarts of N samples, given as blocks of N along the batch, and picks what is kept.

    Nothing here waits for the device: choices are made with ``torch.where``, and numbers are stacked at the end.
    """

    def __init__(self, samples: int, keep: str, frames: bool) -> None:
        self.samples, self.keep, self.frames = samples, keep, frames
        self._points: list[Tensor] = []
        self._numbers: dict[str, list[Tensor]] = {k: [] for k in ("loss", "logits", "success", "norm", "distance")}
        self._best: Tensor | None = None

    def add(
        self, point: Tensor, loss: Tensor, logits: Tensor, success: Tensor, norm: Tensor | None, distance: Tensor
    ) -> None:
        """One point of each walk: ``point`` [R·N, 3, H, W], the rest [R·N] or [R·N, C]; no gradient norm at the last."""
        for name, value in (("loss", loss), ("logits", logits), ("success", success), ("distance", distance)):
            self._numbers[name].append(value)
        if norm is not None:
            self._numbers["norm"].append(norm)
        if self.frames:
            self._points.append(point)
        if self._best is None or self.keep == "last":
            self._best, self._success, self._loss = point, success, loss
            self._at = torch.full_like(success, len(self._numbers["loss"]) - 1, dtype=torch.int64)
            return
        better = (success & ~self._success) | ((success == self._success) & (loss > self._loss))
        self._best = torch.where(better[:, None, None, None], point, self._best)
        self._success, self._loss = self._success | success, torch.where(better, loss, self._loss)
        self._at = torch.where(better, len(self._numbers["loss"]) - 1, self._at)

    def finish(self) -> tuple[Tensor, Trace]:
        """The kept images [N, 3, H, W] and the trace of the restart each came from: success first, then loss, then order."""
        assert self._best is not None
        success, loss = self._success.view(-1, self.samples), self._loss.view(-1, self.samples)
        top = torch.where(success, loss, float("-inf")).amax(dim=0)
        chosen = torch.where(success.any(dim=0), ((loss == top) & success).int().argmax(dim=0), loss.argmax(dim=0))
        rows = chosen * self.samples + torch.arange(self.samples, device=chosen.device)
        numbers = {name: torch.stack(values)[:, rows] for name, values in self._numbers.items()}
        trace = Trace(
            loss=numbers["loss"],
            logits=numbers["logits"],
            gradient_norm=numbers["norm"],
            distance=numbers["distance"],
            success=numbers["success"],
            kept=self._at[rows],
            frames=torch.stack([point[rows] for point in self._points]) if self.frames else None,
        )
        return self._best[rows], trace
