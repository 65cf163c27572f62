"""What an attack remembers while it climbs: every point's numbers, and per sample the best point so far."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.attacks.result_ import Trace


class Recorder:
    """Collects the points of R restarts of N samples, given as blocks of N along the batch, and picks what is kept.

    Nothing here waits for the device: choices are made with ``torch.where``, and numbers are stacked at the end.
    """

    def __init__(self, samples: int, keep: str, frames: bool) -> None:
        self.samples, self.keep, self.frames = samples, keep, frames
        self._points: list[Tensor] = []
        self._numbers: dict[str, list[Tensor]] = {
            k: [] for k in ("loss", "logits", "success", "norm", "distance")
        }
        self._best: Tensor | None = None
        self._owned = False

    @property
    def losses(self) -> Tensor:
        """Of the latest points, [R·N]."""
        return self._numbers["loss"][-1]

    def add(
        self,
        point: Tensor,
        loss: Tensor,
        logits: Tensor,
        success: Tensor,
        norm: Tensor | None,
        distance: Tensor,
        rows: Tensor | None = None,
    ) -> None:
        """One point of each walk: ``point`` [R·N, 3, H, W], the rest [R·N] or [R·N, C]; no gradient norm at the last. With ``rows`` int64
        [K] of these walks alone; the others stay where they are."""
        given = {
            "loss": loss,
            "logits": logits,
            "success": success,
            "distance": distance,
            **({} if norm is None else {"norm": norm}),
        }
        for name, value in given.items():
            self._numbers[name].append(
                value if rows is None else self._numbers[name][-1].index_copy(0, rows, value)
            )
        if self.frames:
            self._points.append(
                point if rows is None else self._points[-1].index_copy(0, rows, point)
            )
        now = len(self._numbers["loss"]) - 1
        if self._best is None:
            self._best, self._success, self._loss = point, success, loss
            self._at = torch.full_like(success, now, dtype=torch.int64)
            return
        success, loss = self._numbers["success"][-1], self.losses
        better = (success & ~self._success) | ((success == self._success) & (loss > self._loss))
        if self.keep == "last":
            better = torch.ones_like(better)
        if rows is None and (
            self.keep == "last" or (point.device.type == "cpu" and all(better.tolist()))
        ):  # to ask a CPU costs nothing
            self._best, self._success, self._loss = point, success, loss
            self._at = torch.full_like(self._at, now)
            return
        self._success, self._loss = (
            torch.where(better, success, self._success),
            torch.where(better, loss, self._loss),
        )
        self._at = torch.where(better, now, self._at)
        if rows is not None:
            self._replace(rows, point, better)
        else:
            self._best = torch.where(better[:, None, None, None], point, self._best)

    def _replace(self, rows: Tensor, point: Tensor, better: Tensor) -> None:
        """The best of some rows, in a tensor of our own."""
        assert self._best is not None
        if not self._owned:
            self._best, self._owned = self._best.clone(), True
        chosen = better[rows].nonzero().flatten()
        self._best.index_copy_(0, rows[chosen], point[chosen])

    def repeat(self, times: int) -> None:
        """The latest point that many times more, the last time without its gradient."""
        for name, values in self._numbers.items():
            values += values[-1:] * (times - (name == "norm"))
        if self.frames:
            self._points += self._points[-1:] * times

    def take(
        self, numbers: dict[str, Tensor], best: Tensor, success: Tensor, loss: Tensor, at: Tensor
    ) -> None:
        """A whole walk that was recorded elsewhere: ``numbers`` by step, and what was best."""
        self._numbers = {name: list(values.unbind(0)) for name, values in numbers.items()}
        self._best, self._success, self._loss, self._at = best, success, loss, at

    def finish(self) -> tuple[Tensor, Trace]:
        """The kept images [N, 3, H, W] and the trace of the restart each came from: success first, then loss, then order."""
        assert self._best is not None
        success, loss = self._success.view(-1, self.samples), self._loss.view(-1, self.samples)
        top = torch.where(success, loss, float("-inf")).amax(dim=0)
        chosen = torch.where(
            success.any(dim=0), ((loss == top) & success).int().argmax(dim=0), loss.argmax(dim=0)
        )
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
