"""The last part of the search for the smallest ε: along the decision boundary."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks import Threat
from explorer.attacks.objective import Objective
from explorer.attacks.threat import flat_norm, per_sample
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import gradient_model, logits_of
from explorer.errors import Cancelled

LOSS = "cw"
# On cifar10-standard (103 images, L2) the mean after 60 steps is 2.3 % below that of
# adversarial-library's FMN after 100, and the median 0.2 % above it.
STEPS = 60


@dataclass(frozen=True)
class _Cosine:
    """A value that falls from ``first`` to ``last`` along half a cosine."""

    first: float
    last: float

    def at(self, step: int) -> float:
        share = (1 + math.cos(math.pi * step / STEPS)) / 2
        return self.last + (self.first - self.last) * share


STEP_SIZE = _Cosine(1.0, 0.003)  # in units of ε
CHANGE = _Cosine(0.03, 1e-4)  # of ε after each step, relative


def walk_along_boundary(
    classifier: Classifier,
    norm: str,
    images: Tensor,
    labels: Tensor,
    adversarial: Tensor,
    cancelled: Callable[[], bool] | None = None,
) -> Tensor:
    """The nearest misclassified images on ways that begin at ``adversarial`` and at ``images``.

    All are float32 [M, C, H, W] in [0, 1], ``labels`` int64 [M]. Each step follows the gradient of
    the margin inside a ball, which shrinks after a success and grows after a failure: FMN (Pintor
    et al. 2021, arXiv 2102.12827, algorithm 1), which begins at the image, here with the distance
    of ``adversarial`` as its radius. What counts as misclassified is decided by the classifier
    itself, in float32. The result is on the CPU. Raises :class:`~explorer.errors.Cancelled`.
    """
    device, count = classifier.device, len(images)
    # Neither start is the better one: on cifar10-standard each wins on about half of the images.
    point = torch.cat([adversarial, images]).to(device)
    nearest = torch.cat([adversarial] * 2).to(device)
    images, labels = (torch.cat([each] * 2).to(device) for each in (images, labels))
    # The last steps are so short that rounding to bfloat16 would hide what they do.
    surrogate, _ = gradient_model(classifier, "float32")
    threat, objective = Threat(norm, 1.0), Objective(LOSS, labels, None)
    distance = flat_norm(nearest - images, norm)
    epsilon = distance.clone()
    with evaluation_mode(classifier):
        for step in range(STEPS):
            if cancelled is not None and cancelled():
                raise Cancelled
            at_point = objective(surrogate, point)
            assert at_point.gradient is not None
            is_wrong = logits_of(classifier, point).argmax(dim=1) != labels
            moved = flat_norm(point - images, norm)
            is_nearer = is_wrong & (moved < distance)
            distance = torch.where(is_nearer, moved, distance)
            nearest = torch.where(is_nearer[:, None, None, None], point, nearest)
            shrunk = torch.minimum(epsilon, distance) * (1 - CHANGE.at(step))
            epsilon = torch.where(is_wrong, shrunk, epsilon * (1 + CHANGE.at(step)))
            way = threat.normalized_gradient(at_point.gradient)
            delta = point + way * per_sample(STEP_SIZE.at(step) * epsilon, way) - images
            point = (images + Threat(norm, epsilon).project(delta)).clamp(0, 1)
    is_second = per_sample(distance[count:] < distance[:count], nearest) > 0
    return torch.where(is_second, nearest[count:], nearest[:count]).cpu()
