"""The walk of an attack: look, remember, take a step, look again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from explorer.attacks.objective import Eye, Sight
from explorer.attacks.result_ import Trace
from explorer.attacks.threat import Threat, flat_norm, per_sample
from explorer.attacks.trace import Recorder
from explorer.classifiers import Classifier
from explorer.engine.batching import logits_of
from explorer.errors import Cancelled

if TYPE_CHECKING:
    from explorer.attacks.pgd import PGD

SHORT = 1e-12  # beside it a million values too small for float32 to hold their squares, 1e-19 each, are nothing: 1e-16

OnStep = Callable[[int, int, float], None]
OnImage = Callable[[int, Tensor], None]


@dataclass(frozen=True)
class Callbacks:
    """Who is told of each step, shown each point, and asked whether to go on."""

    on_step: OnStep | None = None
    on_image: OnImage | None = None
    cancelled: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Walkers:
    """All walks of an attack side by side: the ``images`` [M, 3, H, W] they stay near, what to climb there, how far to stay and how long
    a full step is; M = restarts × samples, in blocks of restarts."""

    images: Tensor
    eye: Eye
    threat: Threat
    length: Tensor  # [M or 1, 1, 1, 1]: the step size, or ε where it follows from ε
    walls: tuple[Tensor, Tensor] | None

    @staticmethod
    def of(
        attack: PGD, climber: Classifier, images: Tensor, labels: Tensor, targets: Tensor | None
    ) -> Walkers:
        times = attack.restarts
        if times > 1:
            images, labels = images.repeat(times, 1, 1, 1), labels.repeat(times)
        threat = replace(attack.threat, epsilon=tile(attack.threat.epsilon, times))
        length = threat.epsilon if attack.step_size is None else tile(attack.step_size, times)
        eye = Eye(climber, attack.loss, labels, None if targets is None else targets.repeat(times))
        return Walkers(images, eye, threat, per_sample(length, images), threat.walls(images))

    def some(self, rows: Tensor) -> Walkers:
        """Those at ``rows`` int64 [K]."""
        eye = replace(
            self.eye,
            labels=self.eye.labels[rows],
            targets=None if self.eye.targets is None else self.eye.targets[rows],
        )
        threat = replace(self.threat, epsilon=of_rows(self.threat.epsilon, rows))
        walls = None if self.walls is None else (self.walls[0][rows], self.walls[1][rows])
        return Walkers(
            self.images[rows],
            eye,
            threat,
            self.length if len(self.length) == 1 else self.length[rows],
            walls,
        )

    def stepped(self, point: Tensor, gradient: Tensor, share: float | Tensor) -> Tensor:
        """A ``share`` of a full step from ``point``, brought back into the threat. ``point`` stays as it is."""
        # In place, on tensors nobody else has: fresh memory is what costs most here.
        moved = self.threat.steepest(gradient).mul_(self.length * share).add_(point)
        if self.walls is not None:
            return moved.clamp_(*self.walls)
        return self.threat.project(moved.sub_(self.images)).add_(self.images).clamp_(0, 1)

    def distance(self, point: Tensor) -> Tensor:
        return flat_norm(point - self.images, self.threat.norm)


class Walk:
    """One attack on one batch. The ``climber`` is climbed; ``classifier`` has the last word, the same where they are one."""

    def __init__(
        self,
        attack: PGD,
        climber: Classifier,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None,
    ) -> None:
        self.attack, self.classifier = attack, classifier
        self.copied = climber is not classifier
        self.all = Walkers.of(attack, climber, images, labels, targets)
        # One walk a sample most often ends where it is best: looked at there by the classifier itself, nothing is left to be judged.
        self.judged_last = self.copied and attack.restarts == 1 and attack.until == "end"

    def go(self, point: Tensor, recorder: Recorder, told: Callbacks) -> None:
        """Walk from ``point`` [M, 3, H, W] and tell ``recorder`` all."""
        now, rows, whole = self.all, None, point
        fooled = torch.zeros(len(point), dtype=torch.bool, device=point.device)
        for step in range(self.attack.steps + 1):
            if told.cancelled is not None and told.cancelled():
                raise Cancelled
            distance = now.distance(point)  # before the look, while the caches hold the point
            seen = self.look(now, point, last=step == self.attack.steps)
            success = succeeds(seen.logits, now.eye.labels, now.eye.targets)
            if self.attack.until == "fooled":
                success = self._confirmed(success, now, point)
            norm = None if seen.gradient is None else seen.slope * length_of(seen.gradient)
            recorder.add(point, seen.value, seen.logits, success, norm, distance, rows)
            if told.on_image is not None:
                whole = point if rows is None else whole.index_copy(0, rows, point)
                told.on_image(step, whole.detach())
            if seen.gradient is None:
                return
            point = now.stepped(point, seen.gradient, self.share(step))
            if self.attack.until == "fooled" and bool(success.any()):
                fooled = success if rows is None else fooled.index_copy(0, rows, success)
                now, point, rows = self._left(fooled, rows, point)
                if not len(rows):
                    recorder.repeat(self.attack.steps - step)
                    break
            if told.on_step is not None:
                told.on_step(step + 1, self.attack.steps, float(recorder.losses.mean()))
        if told.on_step is not None:
            told.on_step(self.attack.steps, self.attack.steps, float(recorder.losses.mean()))

    def share(self, step: int) -> float:
        """Of a full step: 2.5/t in step t, at most all of it; all of a step size that was asked for."""
        return 1.0 if self.attack.step_size is not None else min(1.0, 2.5 / (step + 1))

    def judged(self, adversarial: Tensor, trace: Trace) -> Tensor:
        """What the classifier itself says of ``adversarial``, float32 [N, C]."""
        if not self.judged_last:
            return logits_of(self.classifier, adversarial)
        logits = trace.logits[-1].clone()
        rows = (trace.kept < self.attack.steps).nonzero().flatten()
        if len(rows):
            logits[rows] = logits_of(self.classifier, adversarial[rows])
        return logits

    def look(self, now: Walkers, point: Tensor, last: bool) -> Sight:
        """At ``point``, with the climber; at the last as :attr:`judged_last` says."""
        eye = replace(now.eye, classifier=self.classifier) if last and self.judged_last else now.eye
        return eye.look(point, last)

    def _confirmed(self, success: Tensor, now: Walkers, point: Tensor) -> Tensor:
        """``success`` [K] of those where the classifier itself agrees."""
        rows = success.nonzero().flatten()
        if not self.copied or not len(rows):
            return success
        some = now.eye.targets
        said = succeeds(
            logits_of(self.classifier, point[rows]),
            now.eye.labels[rows],
            None if some is None else some[rows],
        )
        return success.index_copy(0, rows, said)

    def _left(
        self, fooled: Tensor, rows: Tensor | None, point: Tensor
    ) -> tuple[Walkers, Tensor, Tensor]:
        """The walks of samples that no restart has fooled yet."""
        times = self.attack.restarts
        left = (~fooled.view(times, -1).any(dim=0).repeat(times)).nonzero().flatten()
        kept = left if rows is None else torch.isin(rows, left).nonzero().flatten()
        return self.all.some(left), point[kept], left


def succeeds(logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    """Success of each sample: wrong, or called its target."""
    predicted = logits.argmax(dim=1)
    return predicted != labels if targets is None else predicted == targets


def length_of(gradient: Tensor) -> Tensor:
    """L2 norm per sample; where squares could underflow summed in float64, in which no square of a float32 does."""
    flat = gradient.flatten(1)
    if gradient.device.type == "cpu":  # to ask a CPU costs nothing, float64 a copy of all
        length: Tensor = torch.linalg.vector_norm(flat, dim=1)
        if min(length.tolist()) > SHORT:
            return length
    length = torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64).float()
    return length


def tile(value: float | Tensor, restarts: int) -> float | Tensor:
    """A value per sample repeated for every restart; one value for all stays as it is."""
    return (
        value.flatten().repeat(restarts)
        if isinstance(value, Tensor) and value.numel() > 1
        else value
    )


def of_rows(value: float | Tensor, rows: Tensor) -> float | Tensor:
    """The same for some of the samples."""
    return (
        value.flatten()[rows.to(value.device)]
        if isinstance(value, Tensor) and value.numel() > 1
        else value
    )
