"""The answer to "attack this image": one plain object that the page, the command line and the figures share."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.attacks.result_ import Trace
from explorer.experiments.one_image.recipe import Recipe

OUTCOMES = ("fooled", "partly", "held", "misclassified")


@dataclass(frozen=True)
class Prediction:
    """What a classifier says of one image: ``probabilities`` float32 [C] and the names of its classes."""

    probabilities: Tensor
    names: tuple[str, ...]

    @property
    def index(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def name(self) -> str:
        return self.names[self.index]

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())

    def top(self, k: int) -> list[tuple[int, str, float]]:
        """The ``k`` most probable classes: (index, name, probability), most probable first."""
        values, indices = self.probabilities.topk(min(k, len(self.names)))
        return [
            (i, self.names[i], p) for i, p in zip(indices.tolist(), values.tolist(), strict=True)
        ]


@dataclass(frozen=True)
class AttackReport:
    """One attacked image. ``original`` and ``adversarial`` float32 [3, H, W] in [0, 1]; ``label`` and ``target`` class indices.

    ``before``, ``after`` and ``noise`` are the predictions for the original, the adversarial image and the perturbation
    shown as its own image (:func:`explorer.images.distances.perturbation_image`). ``outcome`` is "fooled", "partly" (wrong,
    but not the target), "held", or "misclassified" (the original already was what the attack wants). ``success``: the label is
    wrong, or the target is reached; ``survives_8bit``: it still is after rounding to 8 bits. ``frames`` of the trace, if any,
    are float32 [T + 1, 1, 3, H, W].
    """

    recipe: Recipe
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
    trace: Trace
    seconds: float

    @property
    def names(self) -> tuple[str, ...]:
        return self.before.names
