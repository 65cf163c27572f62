"""Looking at points: the objective, the logits and the gradient there, of a whole batch, in pieces that fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from explorer.attacks.batching import samples_at_once
from explorer.attacks.crew import shared
from explorer.attacks.frozen import Taped
from explorer.attacks.losses import LOSSES
from explorer.attacks.operations import product
from explorer.classifiers import Classifier


class AttackError(ValueError):
    """An attack that can't be run as asked; the message says what is wrong and what to do."""


NO_GRADIENT = "no gradient reaches the image: the classifier is not differentiable, PGD can't be used"


@dataclass(frozen=True)
class Sight:
    """What is seen at each point of a batch: the objective ``value`` [M], its ``slope`` [M] (times the gradient it is the objective's),
    ``logits`` [M, C], and the ``gradient`` [M, 3, H, W] of the objective's ascent form; none at the last point of a walk."""

    value: Tensor
    slope: Tensor
    logits: Tensor
    gradient: Tensor | None

    @staticmethod
    def joined(parts: Sequence[Sight]) -> Sight:
        if len(parts) == 1:
            return parts[0]
        gradients = [part.gradient for part in parts if part.gradient is not None]
        return Sight(
            torch.cat([part.value for part in parts]), torch.cat([part.slope for part in parts]),
            torch.cat([part.logits for part in parts]), torch.cat(gradients) if gradients else None,
        )  # fmt: skip

    def same(self, other: Sight) -> bool:
        """Whether logits and gradients are the same to the bit."""
        pairs = [(self.logits, other.logits), (self.gradient, other.gradient)]
        return all(a is b is None or (a is not None and b is not None and torch.equal(a, b)) for a, b in pairs)


@dataclass(frozen=True)
class Eye:
    """Looks with ``classifier`` and the objective named ``loss`` at points whose classes are ``labels`` [M], or towards ``targets`` [M]."""

    classifier: Classifier
    loss: str
    labels: Tensor
    targets: Tensor | None

    def look(self, point: Tensor, last: bool) -> Sight:
        """At every point of [M, 3, H, W], in pieces that fit; at the ``last`` without the gradient."""
        n, at_once = len(point), samples_at_once(self.classifier, point)
        taped = self.classifier.module
        if not isinstance(taped, Taped) or (n > 1 and not taped.divisible):
            return self._look_in_turn(point, last, at_once)

        def pieces(members: int) -> list[Callable[[], Sight]]:
            return self._looks(point, last, -(-n // (members * -(-n // at_once))))  # as many for each member

        # An attack that leaves fallen samples alone comes with another number in every step.
        kind = (n.bit_length(), point.shape[1:], last)
        return shared(taped, kind, n, partial(self._look_in_turn, point, last, at_once), pieces, Sight.joined, Sight.same)

    def _look_in_turn(self, point: Tensor, last: bool, at_once: int) -> Sight:
        return Sight.joined([look() for look in self._looks(point, last, at_once)])

    def _looks(self, point: Tensor, last: bool, each: int) -> list[Callable[[], Sight]]:
        """At pieces of ``each``."""
        goals = [None] * len(point) if self.targets is None else self.targets.split(each)
        pieces = zip(point.split(each), self.labels.split(each), goals, strict=False)
        return [partial(self._look, *piece, last) for piece in pieces]

    def look_at_once(self, point: Tensor, last: bool) -> Sight:
        """The same in one piece."""
        return self._look(point, self.labels, self.targets, last)

    def _look(self, point: Tensor, labels: Tensor, targets: Tensor | None, last: bool) -> Sight:
        if isinstance(self.classifier.module, Taped) and not last:
            return self._look_by_tape(self.classifier.module, point, labels, targets)
        with torch.set_grad_enabled(not last):
            point = point.detach().requires_grad_(not last)
            logits = self.classifier(point)
        objective = LOSSES[self.loss](logits.detach(), labels, targets)
        if last:
            return Sight(objective.value, objective.slope, logits, None)
        try:
            # For the input alone: backward() would also compute, and accumulate, the weights' gradients.
            (gradient,) = torch.autograd.grad(product(logits, objective.ascent), point)
        except RuntimeError as error:
            if "does not require grad" in str(error) or "not have been used" in str(error):
                raise AttackError(NO_GRADIENT) from None
            raise
        # The walk's own passes are over tensors of the images' layout; mixed with another they take several times as long.
        return Sight(objective.value, objective.slope, logits.detach(), gradient.contiguous())

    def _look_by_tape(self, taped: Taped, point: Tensor, labels: Tensor, targets: Tensor | None) -> Sight:
        with torch.no_grad():
            logits, back = taped.look(self.classifier.normalised(point))
            objective = LOSSES[self.loss](logits, labels, targets)
            gradient = back(objective.ascent)
            if gradient is None:
                raise AttackError(NO_GRADIENT)
            gradient = self.classifier.unnormalised_gradient(gradient)
        return Sight(objective.value, objective.slope, logits, gradient.contiguous())
