"""Random noise as large as an attack's perturbation: what a classifier says without any aim.

A perturbation that does no more than noise of its size shows little. Fawzi, Moosavi-Dezfooli and
Frossard 2016 (arXiv 1608.08967) compare the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.attacks.threat import flat_norm
from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.one_image.attack_image import is_success, outcome_of, predict
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.images.distances import l2, linf

DRAWS = 20
_BATCH = 5  # images that are classified before the work may be cancelled
_HALVINGS = 100


@dataclass(frozen=True)
class NoiseControl:
    """One classifier's answers to noise of its perturbation's size.

    ``image`` float32 [3, H, W] is the original with the first of ``draws`` independent draws.
    ``prediction`` and ``outcome`` (see :class:`AttackReport`) are for that image, ``linf`` and
    ``l2`` its distances from the original. ``successes`` counts the draws that did what the attack
    aims at, and ``label_confidence`` is the label's probability, averaged over all draws.
    """

    image: Tensor
    prediction: Prediction
    outcome: str
    linf: float
    l2: float
    draws: int
    successes: int
    label_confidence: float


def noise_control(
    classifier: Classifier,
    report: AttackReport,
    *,
    draws: int = DRAWS,
    cancelled: Callable[[], bool] | None = None,
) -> NoiseControl:
    """What ``classifier`` says of random noise as large as the perturbation in its ``report``.

    The size is the one that was measured, in the norm of the attack. The noise depends only on the
    seed of the recipe, the number of the draw and the shape of the image. Raises
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    recipe, original = report.recipe, report.original
    size = report.linf if recipe.norm == "linf" else report.l2
    noisy = [with_noise(original, recipe.norm, size, recipe.seed, draw) for draw in range(draws)]
    predictions: list[Prediction] = []
    for first in range(0, draws, _BATCH):
        if cancelled is not None and cancelled():
            raise Cancelled
        predictions += predict(classifier, torch.stack(noisy[first : first + _BATCH]))
    label, target, first_answer = report.label, report.target, predictions[0]
    return NoiseControl(
        image=noisy[0],
        prediction=first_answer,
        outcome=outcome_of(report.before.index, first_answer.index, label, target),
        linf=linf(original, noisy[0]),
        l2=l2(original, noisy[0]),
        draws=draws,
        successes=sum(is_success(each.index, label, target) for each in predictions),
        label_confidence=sum(float(each.probabilities[label]) for each in predictions) / draws,
    )


def with_noise(image: Tensor, norm: str, size: float, seed: int, draw: int) -> Tensor:
    """``image`` [3, H, W] with random noise whose ``norm`` is ``size``; it stays in [0, 1].

    L∞: each value changes by ``size``, up or down with equal probability, or in the one direction
    that has room. L2: a Gaussian direction, whose length makes up for what is clipped. The size is
    met to float32's precision, or is the largest that the draw allows.
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + draw) % 2**63)
    exact = image.detach().cpu().double()
    if norm == "linf":
        up = torch.rand(image.shape, generator=generator) < 0.5
        up = torch.where(exact + size > 1, False, torch.where(exact - size < 0, True, up))
        return (exact + torch.where(up, size, -size)).clamp(0, 1).float()
    direction = torch.randn(image.shape, generator=generator).double()
    return (exact + direction * _scale(exact, direction, size)).clamp(0, 1).float()


def _scale(image: Tensor, direction: Tensor, size: float) -> float:
    """The factor with which the clipped ``direction`` is ``size`` long, by bisection."""

    def length(scale: float) -> float:
        clipped = (image + scale * direction).clamp(0, 1) - image
        return float(flat_norm(clipped[None], "l2"))

    if size == 0:
        return 0.0
    low, high = 0.0, size / float(flat_norm(direction[None], "l2"))
    while length(high) < size and high < 1e6:  # which clips all values that can be
        low, high = high, 2 * high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if length(middle) < size else (low, middle)
    return high
