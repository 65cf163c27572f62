"""The four constructions of "Adversarial Examples Are Not Bugs, They Are Features".

Ilyas et al. 2019, arXiv 1905.02175. D_R and D_NR (section 3.1, eq. 6; appendix C) match the
representation g of an image x, beginning at an image that has nothing to do with x: minimise
‖g(x_r) − g(x)‖₂ by normalised gradient steps, clipped to [0, 1], without an ε-ball. With the g of a
robust classifier only robust features are transferred, with that of a standard one the non-robust
features too. D_rand and D_det (section 3.2) attack a standard classifier with another class t as
the target, and label the image t.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from explorer.errors import UserError

IMAGE, NOISE = "image", "noise"
UNIFORM, NEXT = "uniform", "next"
_MAX_LENGTH = 1e6  # far beyond the L2 distance from black to white of any image


@dataclass(frozen=True)
class Construction:
    """One of the sets with its parameters, by default the paper's for CIFAR-10 (appendix C).

    The field names are part of every plan's digest; a new name would make each set a new one.

    ``robust``: the kind of classifier that the set is built with.
    ``steps``, ``step_size``: number and L2 length of the steps.
    ``start``: where representation matching begins, "image" (a random image of the source, whatever
    its label) or "noise"; None for the attacked sets.
    ``target``: how the new label is drawn, "uniform" over all classes or "next" (y + 1 mod C); None
    for the matched sets, which keep the label.
    ``epsilon``: the L2 radius of the attacked sets.
    ``last_step_size``: for the matched sets, the length to which the steps shrink linearly from
    ``step_size``. This is an addition of ours, the paper's steps are equal: 200 steps from 1 to
    0.02 get as near as a thousand of 0.1.
    """

    name: str
    title: str
    robust: bool
    steps: int
    step_size: float
    start: str | None = None
    target: str | None = None
    epsilon: float | None = None
    last_step_size: float | None = None

    def __post_init__(self) -> None:
        unit = "an L2 length"
        if not 1 <= self.steps <= 1_000_000:
            raise UserError(f"steps must be from 1 to 1,000,000; it is {self.steps}")
        if not 0 < self.step_size <= _MAX_LENGTH:
            allowed = f"above 0 and at most {_MAX_LENGTH:,.0f}, {unit}"
            raise UserError(f"the step size must be {allowed}; it is {self.step_size:g}")
        if self.last_step_size is not None and not 0 < self.last_step_size <= self.step_size:
            allowed = f"longer than 0 and at most the first ({self.step_size:g})"
            raise UserError(f"the last step must be {allowed}; it is {self.last_step_size:g}")
        if self.epsilon is not None and not 0 < self.epsilon < math.inf:
            raise UserError(f"epsilon must be above 0, {unit}; it is {self.epsilon:g}")
        if self.start not in (None, IMAGE, NOISE):
            raise ValueError(f"unknown start {self.start!r}: it is image or noise")

    def step_length(self, step: int) -> float:
        """The L2 length of a step; the first has the number 0."""
        if self.last_step_size is None or self.steps == 1:
            return self.step_size
        return self.step_size + (self.last_step_size - self.step_size) * step / (self.steps - 1)

    @property
    def matches_features(self) -> bool:
        """True for D_R and D_NR (representation matching), False for D_rand and D_det (attacks)."""
        return self.target is None

    @property
    def looks_like(self) -> Literal["source", "start"]:
        """The image whose content a person recognises: the source, or for D_NR the start.

        The features of a robust classifier carry that content, those of a standard one need not,
        and an attack changes too little to alter it.
        """
        return "start" if self.matches_features and not self.robust else "source"

    def perceived_label(self, source_label: int | None, start_label: int | None) -> int | None:
        """The class a person sees in an image of this set, None if it is not known.

        ``source_label`` and ``start_label`` are the classes a person sees in the image it was made
        from and in the image matching began at (None for noise).
        """
        return source_label if self.looks_like == "source" else start_label


D_R = Construction("d_r", "D_R, robustified", True, steps=1000, step_size=0.1, start=IMAGE)
D_NR = Construction("d_nr", "D_NR, non-robust", False, steps=1000, step_size=0.1, start=IMAGE)
D_RAND = Construction(
    "d_rand", "D_rand, random labels", False, steps=100, step_size=0.1, target=UNIFORM, epsilon=0.5
)
D_DET = Construction(
    "d_det", "D_det, labels shifted by one", False, 100, 0.1, target=NEXT, epsilon=0.5
)
CONSTRUCTIONS = {each.name: each for each in (D_R, D_NR, D_RAND, D_DET)}
NOISE_STEPS = 10_000  # the paper's number of steps for D_R from noise


@dataclass(frozen=True)
class ConstructionResult:
    """``images`` float32 [N, 3, H, W] in [0, 1] and their ``objective`` float32 [T + 1, N].

    The objective, which is minimised, is the feature distance ‖g(x_r) − g(x)‖₂ for the matched sets
    and the cross-entropy of the target for the attacked ones, at the start and after each step.
    """

    images: Tensor
    objective: Tensor


def generator_for(purpose: str, seed: int, index: int) -> torch.Generator:
    """The random numbers of one image for one purpose, whichever process and batch it is in."""
    digest = hashlib.sha256(f"{purpose}:{seed}:{index}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def start_index(seed: int, index: int, population: int) -> int:
    """Which of ``population`` images matching begins at, for image ``index``: drawn uniformly."""
    return int(torch.randint(population, (1,), generator=generator_for("start", seed, index)))


def noise(seed: int, index: int, shape: Sequence[int]) -> Tensor:
    """A start of independent uniform values, float32 of ``shape``."""
    return torch.rand(tuple(shape), generator=generator_for("noise", seed, index))


def target_class(
    construction: Construction, seed: int, index: int, label: int, classes: int
) -> int:
    """The new label t: uniform over all classes, ``label`` included, or (y + 1) mod C."""
    if construction.target == NEXT:
        return (label + 1) % classes
    return int(torch.randint(classes, (1,), generator=generator_for("target", seed, index)))
