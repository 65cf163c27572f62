"""A few steps of an attack as each pixel goes through them: its gradient, and its value after each.

The fast gradient sign method and its repetition: Goodfellow et al. (2015, arXiv 1412.6572) and
Madry et al. (2018, arXiv 1706.06083).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.attacks.objective import Objective
from explorer.attacks.settings import PLAIN
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.engine import gradient_model
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport


@dataclass(frozen=True)
class PixelSteps:
    """A short attack, followed pixel by pixel.

    ``gradient`` float32 [C, H, W] is that of what the attack raises, at the original and per unit
    of [0, 1]. ``frames`` float32 [T + 1, C, H, W] has the image after each step, the original
    first. ``report`` is the attack's, without its frames.
    """

    report: AttackReport
    gradient: Tensor
    frames: Tensor

    @property
    def steepest(self) -> tuple[int, int]:
        """Row and column of the pixel with the largest gradient, summed over its channels."""
        sums = self.gradient.abs().sum(dim=0)
        row, column = divmod(int(sums.argmax()), sums.shape[1])
        return row, column


def recipe_of_few_steps(recipe: Recipe, steps: int) -> Recipe:
    """``recipe`` from the original itself, in equal ``steps``, four of which are as long as ε."""
    return replace(
        recipe,
        steps=steps,
        step_size=recipe.epsilon / 4,
        random_start=False,
        restarts=1,
        rule=PLAIN,
        keep="last",
    )


def follow_pixels(
    classifier: Classifier,
    image: Tensor,
    recipe: Recipe,
    *,
    on_step: Callable[[int, int, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PixelSteps:
    """Attack ``image`` float32 [C, H, W] in [0, 1] as ``recipe`` says, and keep each step.

    Raises what :func:`~explorer.experiments.one_image.attack_image.attack_image` raises.
    """
    report = attack_image(
        classifier, image, recipe, frames=True, on_step=on_step, cancelled=cancelled
    )
    frames = report.trace.frames
    assert frames is not None
    without = replace(report, trace=replace(report.trace, frames=None))
    return PixelSteps(without, _gradient(classifier, report), frames[:, 0].cpu())


def _gradient(classifier: Classifier, report: AttackReport) -> Tensor:
    """The gradient [C, H, W] of what the attack raises, at the original, in float32."""
    target = None if report.target is None else torch.tensor([report.target])
    device = classifier.device
    objective = Objective(
        report.recipe.loss,
        torch.tensor([report.label], device=device),
        None if target is None else target.to(device),
    )
    with evaluation_mode(classifier):
        surrogate, _ = gradient_model(classifier, "float32")
        evaluation = objective(surrogate, report.original[None].to(device))
    assert evaluation.gradient is not None
    return (evaluation.gradient * evaluation.scale[:, None, None, None])[0].cpu()
