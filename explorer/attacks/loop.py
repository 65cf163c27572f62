"""The attack loop: evaluate, record, step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.attacks.momentum import Momentum, lookahead
from explorer.attacks.objective import Evaluation, Objective
from explorer.attacks.recorder import TraceRecorder
from explorer.attacks.settings import MOMENTUM, AttackSettings
from explorer.attacks.threat import Threat, flat_norm, per_sample
from explorer.classifiers import Classifier
from explorer.engine import GradientModel, gradient_model, logits_of
from explorer.errors import Cancelled

OnStep = Callable[[int, int, float], None]
"""``on_step(steps taken, steps, mean loss)``, after each step."""

OnImage = Callable[[int, Tensor], None]
"""``on_image(step, images [M, 3, H, W])``, at each point before its step."""


class Callbacks:
    """What an attack calls on its way; each may be None."""

    def __init__(
        self,
        on_step: OnStep | None = None,
        on_image: OnImage | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.on_step, self.on_image, self.cancelled = on_step, on_image, cancelled
        self._images: Tensor | None = None

    def check_cancelled(self) -> None:
        """Raises :class:`Cancelled` where ``cancelled()`` returns true."""
        if self.cancelled is not None and self.cancelled():
            raise Cancelled

    def report(self, steps_taken: int, steps: int, loss: Tensor) -> None:
        """``loss`` [M] is that of the point before the latest."""
        if self.on_step is not None:
            self.on_step(steps_taken, steps, float(loss.mean()))

    def show(self, step: int, rows: Tensor | None, images: Tensor) -> None:
        """The point of the rows int64 [K], or of all rows if None; the others stay as they were."""
        if self.on_image is None:
            return
        if rows is None or self._images is None:
            self._images = images
        else:
            self._images = self._images.index_copy(0, rows, images)
        self.on_image(step, self._images.detach())


@dataclass(frozen=True)
class AttackBatch:
    """The rows of an attack side by side: M = restarts × samples, in blocks of restarts.

    ``images`` [M, 3, H, W] are the originals, ``max_step_size`` [M or 1, 1, 1, 1] is the length of
    a whole step, ``bounds`` are those of :meth:`Threat.bounds`.
    """

    images: Tensor
    objective: Objective
    threat: Threat
    max_step_size: Tensor
    bounds: tuple[Tensor, Tensor] | None

    @staticmethod
    def of(
        settings: AttackSettings, images: Tensor, labels: Tensor, targets: Tensor | None
    ) -> AttackBatch:
        """All restarts of the samples ``images`` [N, 3, H, W]."""
        times = settings.restarts
        if times > 1:
            images, labels = images.repeat(times, 1, 1, 1), labels.repeat(times)
            targets = None if targets is None else targets.repeat(times)
        threat = replace(settings.threat, epsilon=_tile(settings.threat.epsilon, times))
        size = settings.step_size
        max_step_size = threat.epsilon if size is None else _tile(size, times)
        return AttackBatch(
            images,
            settings.objective(labels, targets),
            threat,
            per_sample(max_step_size, images),
            threat.bounds(images),
        )

    def select(self, rows: Tensor) -> AttackBatch:
        """Some of the rows, int64 [K]."""
        size, bounds = self.max_step_size, self.bounds
        return AttackBatch(
            self.images[rows],
            self.objective.select(rows),
            replace(self.threat, epsilon=select_rows(self.threat.epsilon, rows)),
            size if len(size) == 1 else size[rows],
            None if bounds is None else (bounds[0][rows], bounds[1][rows]),
        )

    def step(self, images: Tensor, gradient: Tensor, scale: float | Tensor) -> Tensor:
        """``images`` after a step of ``scale`` times the whole step, projected into the threat.

        ``images`` and their ``gradient``, both [M, 3, H, W], stay as they are.
        """
        # In place, on tensors that nothing else uses: fresh memory is what costs most here.
        direction = self.threat.normalized_gradient(gradient)
        return self.project(direction.mul_(self.max_step_size * scale).add_(images))

    def project(self, points: Tensor) -> Tensor:
        """The nearest images in the threat; ``points`` [M, 3, H, W] are overwritten."""
        if self.bounds is not None:
            return points.clamp_(*self.bounds)
        return self.threat.project(points.sub_(self.images)).add_(self.images).clamp_(0, 1)

    def distance(self, images: Tensor) -> Tensor:
        """[M]: how far ``images`` are from the originals, in the threat's norm."""
        return flat_norm(images - self.images, self.threat.norm)


@dataclass(frozen=True)
class AttackModels:
    """``surrogate`` gives the gradients; ``classifier`` decides. ``is_copy``: they are not one."""

    surrogate: GradientModel
    classifier: Classifier
    is_copy: bool

    def last_evaluation(
        self, settings: AttackSettings, batch: AttackBatch, images: Tensor
    ) -> Evaluation:
        """The objective at the last point, without a gradient."""
        model = self.surrogate
        if self.decides_last(settings):
            model, _ = gradient_model(self.classifier, "float32")
        return batch.objective.without_gradient(model, images)

    def decides_last(self, settings: AttackSettings) -> bool:
        """Whether the classifier itself evaluates the last point of each row.

        With one restart an attack mostly ends where it is best: nothing remains to be verified.
        """
        return self.is_copy and settings.restarts == 1 and not settings.stop_on_success

    def success(
        self, settings: AttackSettings, batch: AttackBatch, images: Tensor, evaluation: Evaluation
    ) -> Tensor:
        """bool [K]; an attack that stops on success needs the classifier itself to agree."""
        success = batch.objective.is_success(evaluation.logits)
        if not settings.stop_on_success or not self.is_copy or not bool(success.any()):
            return success
        rows = success.nonzero().flatten()
        logits = logits_of(self.classifier, images[rows])
        return success.index_copy(0, rows, batch.objective.select(rows).is_success(logits))


def run(
    settings: AttackSettings,
    models: AttackModels,
    batch: AttackBatch,
    start: Tensor,
    trace: TraceRecorder,
    callbacks: Callbacks,
) -> None:
    """Attack from ``start`` [M, 3, H, W] and record every point in ``trace``."""
    active, images, rows = batch, start, None  # all rows are active while ``rows`` is None
    momentum = Momentum.at(start) if settings.rule == MOMENTUM else None
    fooled = torch.zeros(len(start), dtype=torch.bool, device=start.device)
    for step in range(settings.steps):
        callbacks.check_cancelled()
        distance = active.distance(images)  # first, while the caches hold the images
        evaluation = active.objective(models.surrogate, images)
        success = models.success(settings, active, images, evaluation)
        trace.record(step, rows, images, evaluation, success, distance)
        callbacks.show(step, rows, images)
        gradient, scale = evaluation.required_gradient, settings.step_scale(step)
        if momentum is None:
            images = active.step(images, gradient, scale)
        else:
            images = momentum.step(active, images, gradient, scale, lookahead(step))
        if settings.stop_on_success and bool(success.any()):
            fooled = success if rows is None else fooled.index_copy(0, rows, success)
            active, places, rows = _remaining(settings, batch, fooled, rows)
            if not len(rows):
                trace.repeat_from(step, settings.steps)
                callbacks.report(settings.steps, settings.steps, trace.loss[step])
                return
            images = images[places]
            momentum = None if momentum is None else momentum.select(places)
        callbacks.report(step + 1, settings.steps, trace.loss[step])
    callbacks.check_cancelled()
    distance = active.distance(images)
    evaluation = models.last_evaluation(settings, active, images)
    success = models.success(settings, active, images, evaluation)
    trace.record(settings.steps, rows, images, evaluation, success, distance)
    callbacks.show(settings.steps, rows, images)


def _remaining(
    settings: AttackSettings,
    batch: AttackBatch,
    fooled: Tensor,
    rows: Tensor | None,
) -> tuple[AttackBatch, Tensor, Tensor]:
    """The rows of samples that no restart has fooled yet.

    They are the batch, the places among the present ``rows``, and the row numbers.
    """
    times = settings.restarts
    sample_remains = ~fooled.view(times, -1).any(dim=0)
    remaining = sample_remains.repeat(times).nonzero().flatten()
    if not len(remaining):  # a threat has at least one radius
        return batch, remaining, remaining
    places = remaining if rows is None else torch.isin(rows, remaining).nonzero().flatten()
    return batch.select(remaining), places, remaining


def _tile(value: float | Tensor, restarts: int) -> float | Tensor:
    """A value per sample repeated for every restart; one value for all stays as it is."""
    if isinstance(value, Tensor) and value.numel() > 1:
        return value.flatten().repeat(restarts)
    return value


def select_rows(value: float | Tensor, rows: Tensor) -> float | Tensor:
    """A value per sample for some of the samples; one value for all stays as it is."""
    if isinstance(value, Tensor) and value.numel() > 1:
        return value.flatten()[rows.to(value.device)]
    return value
