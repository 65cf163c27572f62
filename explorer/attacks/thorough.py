"""A thorough attack: PGD, and then other objectives for the samples that still stand.

As in MultiTargeted (Gowal et al. 2019, arXiv 1910.09338) and the targeted Auto-PGD of AutoAttack
(Croce and Hein 2020, arXiv 2003.01690), the margin of each other class is raised in turn, nearest
class first. Each such attack begins where PGD ended. Random starts come last, and only for samples
near the decision boundary.

Measured on 200 images of CIFAR-10 with ``cifar10-robust``, L2 ε = 0.5: all samples that fell after
PGD's 40 steps had lost nearly four fifths of their lead by then, and all but one fell in the first
four steps of their next attack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any

import torch
from torch import Tensor

from explorer.attacks.arguments import as_classes, as_classifier, as_images
from explorer.attacks.loop import OnStep, select_rows
from explorer.attacks.losses import LOSSES
from explorer.attacks.objective import Objective
from explorer.attacks.pgd import PGD
from explorer.attacks.settings import PLAIN
from explorer.attacks.trace import AttackResult, Trace
from explorer.classifiers import Classifier
from explorer.engine import logits_of

MOST_CLASSES = 9  # whose margins are raised in turn, as in AutoAttack
FOLLOWING_STEPS = 20  # of each attack after the first
FIRST_CLASSES = 1  # so many nearest classes are tried for every sample that still stands,
NEAR = 0.5  # more of them where at most this share of the clean lead is left,
CLOSE = 0.25  # and random starts where at most this share is.
RANDOM_STARTS = 3


@dataclass(frozen=True)
class WrongClassObjective(Objective):
    """The margin of ``targets`` over all other classes; any wrong prediction is a success.

    While the label is still predicted, that margin is the target's lead over the label.
    """

    def is_success(self, logits: Tensor) -> Tensor:
        """bool [M]: the prediction is wrong."""
        return logits.argmax(dim=1) != self.labels


class WrongClassPGD(PGD):
    """PGD towards the ``targets`` that it is called with, content with any wrong prediction."""

    def objective(self, labels: Tensor, targets: Tensor | None) -> Objective:
        """What this attack raises."""
        return WrongClassObjective(self.loss, labels, targets)


@dataclass(frozen=True)
class Thorough:
    """``first``, and then up to twelve attacks on each sample that ``first`` does not fool.

    A sample that ``first`` fools has exactly its result, and so has one that no attack fools. It is
    called as :class:`~explorer.attacks.PGD` is. The trace is that of the attack which succeeded,
    its ``loss`` that of ``first``; after the attack's last step it repeats.
    """

    first: PGD
    _: KW_ONLY
    following_steps: int = FOLLOWING_STEPS

    def most_steps(self, classes: int, *, targeted: bool) -> int:
        """The most steps that one sample takes, each restart counted."""
        attacks = 1 if targeted else min(MOST_CLASSES, classes - 1)
        return self.first.steps * self.first.restarts + self._steps * (attacks + RANDOM_STARTS)

    @property
    def _steps(self) -> int:
        """The steps of each following attack: its trace is to fit into the first one's."""
        return min(self.following_steps, self.first.steps)

    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None = None,
        *,
        initial: Tensor | None = None,
        frames: bool = False,
        on_step: OnStep | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> AttackResult:
        """Attack ``images`` float32 [N, C, H, W] in [0, 1] with ``labels`` int64 [N].

        The arguments are those of :class:`~explorer.attacks.PGD`, and so are the errors.
        ``on_step(steps taken, most steps, mean loss)`` counts the steps of all attacks.
        """
        images, classes = as_images(images), len(as_classifier(classifier).labels)
        labels = as_classes("labels", labels, len(images), classes).to(images.device)
        if targets is not None:
            targets = as_classes("targets", targets, len(images), classes).to(images.device)
        total = self.most_steps(classes, targeted=targets is not None)
        progress = _Progress(on_step, total)
        result = self.first(
            classifier,
            images,
            labels,
            targets,
            initial=initial,
            frames=frames,
            on_step=progress.within(self.first.steps * self.first.restarts),
            cancelled=cancelled,
        )
        rest = _Remaining(self, classifier, images, labels, targets, result, frames, cancelled)
        following = rest.targeted if targets is not None else rest.untargeted
        return following(progress)


class _Progress:
    """The steps of several attacks as those of one."""

    def __init__(self, on_step: OnStep | None, total: int) -> None:
        self._on_step, self._total, self._done = on_step, total, 0

    def within(self, steps: int) -> OnStep | None:
        """The callback of the next attack, which is counted as ``steps`` steps."""
        before, self._done = self._done, self._done + steps
        report = self._on_step
        if report is None:
            return None
        return lambda step, count, loss: report(before + steps * step // count, self._total, loss)


class _Remaining:
    """The attacks after the first; ``result`` is the best of those made so far."""

    def __init__(
        self,
        attack: Thorough,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None,
        result: AttackResult,
        frames: bool,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self._first, self._steps = attack.first, attack._steps
        self._classifier, self._images, self._labels = classifier, images, labels
        self._targets, self._frames, self._cancelled = targets, frames, cancelled
        self._start, self._result = result.adversarial, result

    def untargeted(self, progress: _Progress) -> AttackResult:
        """The nearest classes in turn, then the margin from random starts."""
        logits = self._result.logits.to(self._labels.device)
        others = logits.scatter(1, self._labels[:, None], float("-inf"))
        nearest = others.argsort(dim=1, descending=True, stable=True)
        clean = logits_of(self._classifier, self._images.to(self._classifier.device))
        left = _lead(logits, self._labels) / _lead(clean.to(logits), self._labels).clamp_min(1e-12)
        attack = WrongClassPGD(**self._following(random_start=False))
        for rank in range(min(MOST_CLASSES, logits.shape[1] - 1)):
            near = torch.ones_like(left, dtype=torch.bool) if rank < FIRST_CLASSES else left <= NEAR
            self._attack(attack, near, nearest[:, rank], self._start, progress)
        self._random_starts(left <= CLOSE, progress)
        return self._result

    def targeted(self, progress: _Progress) -> AttackResult:
        """The target's margin, from where the first attack ended and from random starts."""
        attack = PGD(**self._following(random_start=False))
        everywhere = torch.ones_like(self._result.success)
        self._attack(attack, everywhere, self._targets, self._start, progress)
        self._random_starts(everywhere, progress)
        return self._result

    def _random_starts(self, wanted: Tensor, progress: _Progress) -> None:
        for number in range(1, RANDOM_STARTS + 1):
            settings = self._following(random_start=True)
            # Not among the starts of the first attack's restarts.
            settings["seed"] = self._first.seed + self._first.restarts + number
            self._attack(PGD(**settings), wanted, self._targets, None, progress)

    def _following(self, *, random_start: bool) -> dict[str, Any]:
        """The settings of an attack on the margin."""
        changed = {
            "steps": self._steps,
            "step_size": None,
            "restarts": 1,
            "random_start": random_start,
            "rule": PLAIN,
            "loss": "cw",
            "keep": "best",
        }
        return vars(self._first) | changed

    def _attack(
        self,
        attack: PGD,
        wanted: Tensor,
        targets: Tensor | None,
        start: Tensor | None,
        progress: _Progress,
    ) -> None:
        """Attack the samples that are ``wanted``, bool [N], and still stand."""
        on_step = progress.within(self._steps)
        rows = wanted.to(self._labels.device) & ~self._result.success.to(self._labels.device)
        rows = rows.nonzero().flatten()
        if not len(rows):
            return
        threat = replace(attack.threat, epsilon=select_rows(attack.threat.epsilon, rows))
        after = replace(attack, threat=threat)(
            self._classifier,
            self._images[rows],
            self._labels[rows],
            None if targets is None else targets.to(rows.device)[rows],
            initial=None if start is None else start[rows],
            frames=self._frames,
            on_step=on_step,
            cancelled=self._cancelled,
        )
        fooled = after.success.nonzero().flatten()
        if len(fooled):
            chosen = rows[fooled]
            self._result = self._result.replaced(chosen, self._as_first(after, fooled, chosen))

    def _as_first(self, after: AttackResult, fooled: Tensor, chosen: Tensor) -> AttackResult:
        """The samples ``fooled`` of ``after``, with a trace like the first attack's."""
        trace = _longer(_columns(after.trace, fooled), self._first.steps)
        labels = self._labels[chosen]
        targets = None if self._targets is None else self._targets[chosen]
        loss = LOSSES[self._first.loss]
        values = [loss(logits, labels, targets).value for logits in trace.logits]
        return replace(
            after,
            adversarial=after.adversarial[fooled],
            success=after.success[fooled],
            logits=after.logits[fooled],
            trace=replace(trace, loss=torch.stack(values)),
        )


def _lead(logits: Tensor, labels: Tensor) -> Tensor:
    """[N]: the label's logit less the highest of the others."""
    others = logits.scatter(1, labels[:, None].to(logits.device), float("-inf"))
    own: Tensor = logits.gather(1, labels[:, None].to(logits.device))[:, 0]
    return own - others.amax(dim=1)


def _columns(trace: Trace, samples: Tensor) -> Trace:
    """The trace of some of the samples, int64 [K]."""
    return Trace(
        loss=trace.loss[:, samples],
        logits=trace.logits[:, samples],
        gradient_norm=trace.gradient_norm[:, samples],
        distance=trace.distance[:, samples],
        success=trace.success[:, samples],
        kept=trace.kept[samples],
        frames=None if trace.frames is None else trace.frames[:, samples],
    )


def _longer(trace: Trace, steps: int) -> Trace:
    """The trace with its last point repeated to ``steps`` steps."""
    more = steps - trace.steps

    def extended(values: Tensor) -> Tensor:
        return torch.cat([values, values[-1:].expand(more, *values.shape[1:])])

    return replace(
        trace,
        loss=extended(trace.loss),
        logits=extended(trace.logits),
        gradient_norm=extended(trace.gradient_norm),
        distance=extended(trace.distance),
        success=extended(trace.success),
        frames=None if trace.frames is None else extended(trace.frames),
    )
