"""Looking at points: the objective, the logits and the gradient there, of a whole batch, in pieces that fit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from explorer.attacks.losses import LOSSES
from explorer.classifiers import Classifier
from explorer.engine.batching import samples_at_once
from explorer.engine.operations import product
from explorer.engine.optimized_copy import Taped
from explorer.engine.threads import shared
from explorer.errors import UserError

T = TypeVar("T")


class AttackError(UserError):
    """An attack that can't be run as asked; the message says what is wrong and what to do."""


NO_GRADIENT = (
    "no gradient reaches the image: the classifier is not differentiable, PGD can't be used"
)


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
        value, slope, logits = (
            torch.cat([getattr(part, name) for part in parts])
            for name in ("value", "slope", "logits")
        )
        return Sight(value, slope, logits, one_after_another([part.gradient for part in parts]))

    def same(self, other: Sight) -> bool:
        """Whether logits and gradients are the same to the bit."""
        return torch.equal(self.logits, other.logits) and same(self.gradient, other.gradient)


def one_after_another(gradients: Sequence[Tensor | None]) -> Tensor | None:
    """All of ``gradients`` as one; None where there are none."""
    found = [gradient for gradient in gradients if gradient is not None]
    return torch.cat(found) if found else None


def same(one: Tensor | None, other: Tensor | None) -> bool:
    """Whether two gradients are the same to the bit, or both are none."""
    return one is other if one is None or other is None else torch.equal(one, other)


def looked(
    classifier: Classifier,
    point: Tensor,
    kind: Hashable,
    look: Callable[[slice], T],
    joined: Callable[[Sequence[T]], T],
    alike: Callable[[T, T], bool],
) -> T:
    """What ``look`` finds at all rows of ``point`` [M, 3, H, W] with ``classifier``: in pieces that fit the memory, by all threads together
    or by each apart. ``kind``, ``joined`` and ``alike`` are as :func:`~explorer.engine.threads.shared` takes them."""
    n, at_once = len(point), samples_at_once(classifier, point)

    def pieces(each: int) -> list[Callable[[], T]]:
        return [partial(look, slice(first, first + each)) for first in range(0, n, each)]

    def whole(parts: Sequence[T]) -> T:
        return parts[0] if len(parts) == 1 else joined(parts)

    def in_turn() -> T:
        return whole([piece() for piece in pieces(at_once)])

    taped = classifier.module
    if not isinstance(taped, Taped) or (n > 1 and not taped.divisible):
        return in_turn()
    # An attack that leaves fallen samples alone comes with another number in every step.
    kinds, rounds = (kind, n.bit_length(), point.shape[1:]), -(-n // at_once)
    return shared(
        taped, kinds, n, in_turn, lambda members: pieces(-(-n // (members * rounds))), whole, alike
    )  # as many for each


@dataclass(frozen=True)
class Eye:
    """Looks with ``classifier`` and the objective named ``loss`` at points whose classes are ``labels`` [M], or towards ``targets`` [M]."""

    classifier: Classifier
    loss: str
    labels: Tensor
    targets: Tensor | None

    def look(self, point: Tensor, last: bool) -> Sight:
        """At every point of [M, 3, H, W], in pieces that fit; at the ``last`` without the gradient."""
        return looked(
            self.classifier,
            point,
            ("logits", last),
            partial(self._look_at, point, last),
            Sight.joined,
            Sight.same,
        )

    def _look_at(self, point: Tensor, last: bool, rows: slice) -> Sight:
        return self._look(
            point[rows],
            self.labels[rows],
            None if self.targets is None else self.targets[rows],
            last,
        )

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

    def _look_by_tape(
        self, taped: Taped, point: Tensor, labels: Tensor, targets: Tensor | None
    ) -> Sight:
        with torch.no_grad():
            logits, back = taped.look(self.classifier.normalised(point))
            objective = LOSSES[self.loss](logits, labels, targets)
            gradient = back(objective.ascent)
            if gradient is None:
                raise AttackError(NO_GRADIENT)
            gradient = self.classifier.unnormalised_gradient(gradient)
        return Sight(objective.value, objective.slope, logits, gradient.contiguous())
