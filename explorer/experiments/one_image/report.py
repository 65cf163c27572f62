"""The result of an attack on one image, which the pages, the command line and the figures share."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.attacks import Trace
from explorer.experiments.one_image.recipe import Recipe

OUTCOMES = ("fooled", "partly", "held", "misclassified")


@dataclass(frozen=True)
class Prediction:
    """A classifier's ``probabilities`` for one image, float32 [C], with the class ``names``."""

    probabilities: Tensor
    names: tuple[str, ...]

    @property
    def index(self) -> int:
        """The most probable class."""
        return int(self.probabilities.argmax())

    @property
    def name(self) -> str:
        """The name of the most probable class."""
        return self.names[self.index]

    @property
    def confidence(self) -> float:
        """The probability of the most probable class."""
        return float(self.probabilities.max())


@dataclass(frozen=True)
class AttackedImage:
    """An image, what an attack made of it, and what the classifier says of both.

    ``original`` and ``adversarial`` are float32 [3, H, W] in [0, 1]; ``label`` and ``target`` are
    class indices (``target`` None: any wrong class). ``before``, ``after`` and ``noise`` are the
    predictions for the original, the adversarial image and the perturbation as an image
    (:func:`explorer.images.distances.perturbation_image`).

    ``outcome`` is "fooled", "partly" (wrong, but not the target), "held" (the prediction did not
    change, or changed to the label), or "misclassified" (the original already was what the attack
    aims at). ``success`` says whether the adversarial image is misclassified or, with a target,
    classified as the target; ``survives_8bit`` says the same after rounding to 8 bits.
    """

    original: Tensor
    adversarial: Tensor
    label: int
    target: int | None
    before: Prediction
    after: Prediction
    noise: Prediction
    outcome: str
    success: bool
    survives_8bit: bool
    linf: float
    l2: float
    ssim: float

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.before.names


@dataclass(frozen=True)
class AttackReport(AttackedImage):
    """The result of an attack that a recipe describes.

    The trace's ``frames``, if any, are float32 [T + 1, 1, 3, H, W]. ``seconds`` is the duration of
    the attack.
    """

    recipe: Recipe
    trace: Trace
    seconds: float
