"""Representation matching: a start is brought to where a classifier sees in it what it sees in a source (Ilyas et al. 2019, eq. 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks import AttackError
from explorer.attacks.loop import OnStep
from explorer.attacks.objective import looked, one_after_another, same
from explorer.attacks.threat import Threat, flat_norm
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import Constructed, Construction
from explorer.engine.optimized_copy import Taped
from explorer.engine.precision import at_precision
from explorer.errors import Cancelled

NO_GRADIENT = "no gradient reaches the image: the classifier's features are not differentiable and can't be matched"


def match_representations(
    construction: Construction,
    classifier: Classifier,
    sources: Tensor,
    starts: Tensor,
    *,
    precision: str = "auto",
    on_step: OnStep | None = None,
    on_image: Callable[[int, Tensor], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Constructed:
    """Bring the representation of ``starts`` to that of ``sources`` (both float32 [N, 3, H, W] in [0, 1]); eq. 6 of the paper.

    Of the T + 1 points the one with the smallest feature distance is kept. ``on_step(done, steps, mean distance)`` follows each
    step, ``on_image(done, images)`` shows the points. Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` says so.
    """
    climber, _ = at_precision(classifier, precision)
    with torch.no_grad():
        goal = climber.features(sources)
    point = starts.clone()
    best, least, path = point, torch.full((len(point),), float("inf"), device=point.device), []
    for step in range(construction.steps + 1):
        if cancelled is not None and cancelled():
            raise Cancelled
        last = step == construction.steps
        gap = Gap.seen(climber, point, goal, last)
        nearer = gap.distance < least
        best, least = (
            torch.where(nearer[:, None, None, None], point, best),
            torch.where(nearer, gap.distance, least),
        )
        path.append(gap.distance)
        if on_image is not None:
            on_image(step, point)
        if gap.gradient is None:
            break
        point = (
            point - construction.step_length(step) * Threat("l2", 1.0).steepest(gap.gradient)
        ).clamp(0, 1)
        if on_step is not None:
            on_step(step + 1, construction.steps, float(gap.distance.mean()))
    if not bool(torch.isfinite(least).all()):
        raise AttackError(
            "the classifier returned features that are not finite; its weights or its input range are wrong"
        )
    return Constructed(best, torch.stack(path))


@dataclass(frozen=True)
class Gap:
    """The ``distance`` ‖g(x_r) − g(x)‖₂ of each sample [N] and, unless it is the last, a ``gradient`` [N, 3, H, W] along which it rises:
    that of half its square, which points the same way and is there also where the distance is zero."""

    distance: Tensor
    gradient: Tensor | None

    @staticmethod
    def seen(classifier: Classifier, point: Tensor, goal: Tensor, last: bool) -> Gap:
        """With ``classifier``, whose features of the sources are ``goal`` [N, D], at ``point`` [N, 3, H, W]."""

        def at(rows: slice) -> Gap:
            return Gap._seen(classifier, point[rows], goal[rows], last)

        return looked(classifier, point, ("features", last), at, Gap._joined, Gap._alike)

    @staticmethod
    def _seen(classifier: Classifier, point: Tensor, goal: Tensor, last: bool) -> Gap:
        taped = classifier.module
        if isinstance(taped, Taped) and taped.features_are_taped and not last:
            with torch.no_grad():
                features, back = taped.look_at_features(classifier.normalised(point))
                difference = features - goal
                found = back(difference)
                if found is None:
                    raise AttackError(NO_GRADIENT)
                return Gap(
                    flat_norm(difference, "l2"),
                    classifier.unnormalised_gradient(found).contiguous(),
                )
        with torch.set_grad_enabled(not last):
            point = point.detach().requires_grad_(not last)
            difference = classifier.features(point) - goal
            if last:
                return Gap(flat_norm(difference, "l2"), None)
            half = difference.square().sum() / 2
            if not half.requires_grad:
                raise AttackError(NO_GRADIENT)
            (gradient,) = torch.autograd.grad(half, point)
        return Gap(flat_norm(difference.detach(), "l2"), gradient)

    @staticmethod
    def _joined(parts: Sequence[Gap]) -> Gap:
        return Gap(
            torch.cat([part.distance for part in parts]),
            one_after_another([part.gradient for part in parts]),
        )

    def _alike(self, other: Gap) -> bool:
        return torch.equal(self.distance, other.distance) and same(self.gradient, other.gradient)
