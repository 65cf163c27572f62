"""The trace of an attack while it runs: preallocated tensors, and the best point of each row."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.attacks.objective import Evaluation, gradient_norm
from explorer.attacks.trace import Trace


class TraceRecorder:
    """Records up to ``steps`` + 1 points of M rows: R restarts of ``samples`` samples, in blocks.

    ``images`` [M, 3, H, W] and ``classes`` give the shapes. ``keep`` is "best" or "last";
    ``frames`` keeps every point. The attack loop and a CUDA graph write to the same tensors.
    """

    def __init__(
        self, steps: int, images: Tensor, classes: int, samples: int, keep: str, frames: bool
    ) -> None:
        rows, device = len(images), images.device
        self.samples, self.keep = samples, keep
        self.loss = torch.zeros(steps + 1, rows, device=device)
        self.logits = torch.zeros(steps + 1, rows, classes, device=device)
        self.distance = torch.zeros(steps + 1, rows, device=device)
        self.success = torch.zeros(steps + 1, rows, dtype=torch.bool, device=device)
        self.gradient_norm = torch.zeros(steps, rows, device=device)
        shape = (steps + 1, *images.shape)
        self.frames = torch.zeros(shape, device=device) if frames else None
        self.best = images
        self.best_loss, self.best_success = self.loss[0].clone(), self.success[0].clone()
        self.best_step = torch.zeros(rows, dtype=torch.int64, device=device)
        self._owns_best = False

    def record(
        self,
        step: int,
        rows: Tensor | None,
        images: Tensor,
        evaluation: Evaluation,
        success: Tensor,
        distance: Tensor,
    ) -> None:
        """Point ``step`` of the rows int64 [K], or of all rows if None; the others repeat.

        ``images`` is [K, 3, H, W]; the rest is [K] or [K, C]. An evaluation without a gradient
        belongs to the last point.
        """
        values = {
            "loss": evaluation.loss,
            "logits": evaluation.logits,
            "success": success,
            "distance": distance,
        }
        if evaluation.gradient is not None:
            values["gradient_norm"] = gradient_norm(evaluation)
        if self.frames is not None:
            values["frames"] = images
        for name, value in values.items():
            self._write(getattr(self, name), step, rows, value)
        self._keep_best(step, rows, images)

    def repeat_from(self, step: int, steps: int) -> None:
        """Fill the points after ``step``, to ``steps``, with the values of ``step``."""
        for tensor in (self.loss, self.logits, self.success, self.distance):
            tensor[step + 1 : steps + 1] = tensor[step]
        self.gradient_norm[step + 1 : steps] = self.gradient_norm[step]
        if self.frames is not None:
            self.frames[step + 1 : steps + 1] = self.frames[step]

    def record_on_device(
        self,
        step: Tensor,
        images: Tensor,
        evaluation: Evaluation,
        success: Tensor,
        distance: Tensor,
    ) -> None:
        """The same for all rows at the point int64 [1] ``step``, without a word from the host.

        Every tensor keeps its address, as a CUDA graph needs it.
        """
        self.loss.index_copy_(0, step, evaluation.loss[None])
        self.logits.index_copy_(0, step, evaluation.logits[None])
        self.success.index_copy_(0, step, success[None])
        self.distance.index_copy_(0, step, distance[None])
        if evaluation.gradient is not None:
            self.gradient_norm.index_copy_(0, step, gradient_norm(evaluation)[None])
        if self.frames is not None:
            self.frames.index_copy_(0, step, images[None])
        better = self._is_better(success, evaluation.loss) | (step == 0)
        self.best.copy_(torch.where(better[:, None, None, None], images, self.best))
        self.best_success.copy_(torch.where(better, success, self.best_success))
        self.best_loss.copy_(torch.where(better, evaluation.loss, self.best_loss))
        self.best_step.copy_(torch.where(better, step, self.best_step))

    def finish(self, steps: int) -> tuple[Tensor, Trace]:
        """The kept images [N, 3, H, W], and the trace of the restart that each came from.

        Of the restarts the one with success counts first, then the higher loss, then the order.
        """
        success = self.best_success.view(-1, self.samples)
        loss = self.best_loss.view(-1, self.samples)
        highest = torch.where(success, loss, float("-inf")).amax(dim=0)
        first_highest = ((loss == highest) & success).int().argmax(dim=0)
        restart = torch.where(success.any(dim=0), first_highest, loss.argmax(dim=0))
        rows = restart * self.samples + torch.arange(self.samples, device=restart.device)
        trace = Trace(
            loss=self.loss[: steps + 1, rows],
            logits=self.logits[: steps + 1, rows],
            gradient_norm=self.gradient_norm[:steps, rows],
            distance=self.distance[: steps + 1, rows],
            success=self.success[: steps + 1, rows],
            kept=self.best_step[rows],
            frames=None if self.frames is None else self.frames[: steps + 1, rows],
        )
        return self.best[rows], trace

    @staticmethod
    def _write(tensor: Tensor, step: int, rows: Tensor | None, value: Tensor) -> None:
        if rows is None:
            tensor[step] = value
        else:
            tensor[step] = tensor[step - 1].index_copy(0, rows, value)

    def _is_better(self, success: Tensor, loss: Tensor) -> Tensor:
        """bool [M]: rows whose present point replaces the best one."""
        if self.keep == "last":
            return torch.ones_like(success)
        higher = (success == self.best_success) & (loss > self.best_loss)
        return (success & ~self.best_success) | higher

    def _keep_best(self, step: int, rows: Tensor | None, images: Tensor) -> None:
        loss, success = self.loss[step], self.success[step]
        better = self._is_better(success, loss)
        # Reading values costs nothing on a CPU and saves a copy of the images.
        on_cpu = images.device.type == "cpu"
        if step == 0 or (rows is None and (self.keep == "last" or (on_cpu and bool(better.all())))):
            self.best, self._owns_best = images, False
            self.best_loss, self.best_success = loss, success
            self.best_step = torch.full_like(self.best_step, step)
            return
        self.best_loss = torch.where(better, loss, self.best_loss)
        self.best_success = torch.where(better, success, self.best_success)
        self.best_step = torch.where(better, step, self.best_step)
        if rows is None:
            self.best = torch.where(better[:, None, None, None], images, self.best)
        else:
            self._replace_best(rows, images, better)

    def _replace_best(self, rows: Tensor, images: Tensor, better: Tensor) -> None:
        if not self._owns_best:
            self.best, self._owns_best = self.best.clone(), True
        chosen = better[rows].nonzero().flatten()
        self.best.index_copy_(0, rows[chosen], images[chosen])
