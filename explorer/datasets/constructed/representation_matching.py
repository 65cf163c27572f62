"""D_R and D_NR: images whose representation matches another image's (Ilyas et al. 2019, eq. 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from explorer.attacks import AttackError, OnStep, Threat
from explorer.attacks.threat import flat_norm
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import Construction, ConstructionResult
from explorer.engine import GradientModel, gradient_model, map_chunks
from explorer.errors import Cancelled


class _FeatureDistance(NamedTuple):
    """``distance`` ‖g(x_r) − g(x)‖₂ [N], and a gradient [N, 3, H, W] along which it rises.

    The gradient is that of half the squared distance, which points the same way and exists also
    where the distance is zero. It is None at the last point.
    """

    distance: Tensor
    gradient: Tensor | None


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
) -> ConstructionResult:
    """Images near ``starts`` whose representation is that of ``sources``; eq. 6 of the paper.

    Both are float32 [N, 3, H, W] in [0, 1]. Of the T + 1 points the one with the smallest feature
    distance is kept. ``on_step(steps taken, steps, mean distance)`` is called after each step,
    ``on_image(step, images)`` at each point. Raises :class:`~explorer.errors.Cancelled` when
    ``cancelled()`` returns true, and :class:`AttackError` for features that are not finite.
    """
    surrogate, _ = gradient_model(classifier, precision)
    goal = surrogate.features(sources)
    images, steps = starts.clone(), construction.steps
    best, distances = images, list[Tensor]()
    least = torch.full((len(images),), float("inf"), device=images.device)
    for step in range(steps + 1):
        if cancelled is not None and cancelled():
            raise Cancelled
        evaluation = _evaluate(surrogate, images, goal, with_gradient=step < steps)
        nearer = evaluation.distance < least
        best = torch.where(nearer[:, None, None, None], images, best)
        least = torch.where(nearer, evaluation.distance, least)
        distances.append(evaluation.distance)
        if on_image is not None:
            on_image(step, images)
        if evaluation.gradient is None:
            break
        direction = Threat("l2", 1.0).normalized_gradient(evaluation.gradient)
        images = (images - construction.step_length(step) * direction).clamp(0, 1)
        if on_step is not None:
            on_step(step + 1, steps, float(evaluation.distance.mean()))
    if not bool(torch.isfinite(least).all()):
        raise AttackError(
            "the classifier returned features that are not finite; its weights or its input range "
            "are wrong"
        )
    return ConstructionResult(best, torch.stack(distances))


def _evaluate(
    surrogate: GradientModel, images: Tensor, goal: Tensor, *, with_gradient: bool
) -> _FeatureDistance:
    """The distance of the features at ``images`` from ``goal`` [N, D]."""

    def at(rows: slice) -> _FeatureDistance:
        if not with_gradient:
            difference = surrogate.features(images[rows]) - goal[rows]
            return _FeatureDistance(flat_norm(difference, "l2"), None)
        features, vjp = surrogate.features_vjp(images[rows])
        difference = features - goal[rows]
        return _FeatureDistance(flat_norm(difference, "l2"), vjp(difference))

    return map_chunks(surrogate, images, at, kind=("features", with_gradient))
