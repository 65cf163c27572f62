"""Targeted gradient ascent under an L2 budget: what pictures are drawn with.

Santurkar et al. 2019, "Image Synthesis with a Single (Robust) Classifier" (arXiv 1906.09453): the
loss of a class is lowered by normalised steps, within an L2 ball around the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from explorer.attacks import AttackError, OnStep, Threat
from explorer.attacks.loop import AttackBatch, OnImage
from explorer.attacks.objective import Objective
from explorer.attacks.threat import flat_norm, per_sample
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import gradient_model
from explorer.errors import Cancelled

PATH = 2.5  # the length of all steps together, in ε: enough to cross the ball and to settle


class Ascent(NamedTuple):
    """The last point, ``images`` float32 [N, C, H, W] on the CPU, and the gradients' precision."""

    images: Tensor
    precision: str


def ascend(
    classifier: Classifier,
    starts: Tensor,
    targets: Tensor,
    *,
    epsilon: float,
    steps: int,
    mask: Tensor | None = None,
    on_step: OnStep | None = None,
    on_image: OnImage | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Ascent:
    """Pictures within L2 ``epsilon`` of ``starts`` [N, C, H, W] that show the ``targets`` [N].

    Each step goes 2.5 ε/``steps`` along the normalised gradient of the target's cross-entropy, then
    into the ball and into [0, 1]; the last point is returned. With ``mask`` [H, W] pixels where it
    is 0 stay as they are, and ε is the length of the change in the others. Callbacks are those of
    :meth:`explorer.attacks.PGD.__call__`. Raises :class:`AttackError` for a classifier whose
    gradients are not finite, and :class:`~explorer.errors.Cancelled`.
    """
    device = classifier.device
    images, classes = starts.detach().to(device), targets.to(device)
    threat = Threat("l2", epsilon)
    step_size = per_sample(PATH * epsilon / steps, images)
    batch = AttackBatch(images, Objective("ce", classes, classes), threat, step_size, None)
    region = None if mask is None else mask.to(images)
    with evaluation_mode(classifier):
        surrogate, precision = gradient_model(classifier, "auto")
        for step in range(steps):
            if cancelled is not None and cancelled():
                raise Cancelled
            evaluation = batch.objective(surrogate, images)
            assert evaluation.gradient is not None
            if region is not None:
                evaluation = evaluation._replace(gradient=evaluation.gradient * region)
            if on_image is not None:
                on_image(step, images)
            images = batch.step(images, evaluation.required_gradient, 1.0)
            if on_step is not None:
                on_step(step + 1, steps, float(evaluation.loss.mean()))
    if not bool(flat_norm(images, "l2").isfinite().all()):
        raise AttackError(
            "the classifier returned gradients that are not finite; its weights or its input range "
            "are wrong"
        )
    return Ascent(images.cpu(), precision)
