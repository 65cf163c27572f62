"""The four constructions of "Adversarial Examples Are Not Bugs, They Are Features" (Ilyas et al. 2019, arXiv 1905.02175).

D_R and D_NR (section 3.1, eq. 6; appendix C) match a classifier's representation g of an image x, from a start that has nothing
to do with x: minimise ‖g(x_r) − g(x)‖₂ by normalised gradient steps, clipped to [0, 1], with no ε-ball. With a robust classifier's
g only robust features come across, with a standard one's the non-robust come too. D_rand and D_det (section 3.2) attack a
standard classifier towards another class t and label the image t.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.errors import UserError

IMAGE, NOISE = "image", "noise"
UNIFORM, NEXT = "uniform", "next"


@dataclass(frozen=True)
class Construction:
    """One of the sets and its parameters, by default the paper's for CIFAR-10 (section 3 and appendix C.1 to C.3).

    ``start`` is where representation matching begins: "image" (a random image of the source, whatever its label) or "noise";
    None for the attacked sets. ``target`` is how the new label is drawn: "uniform" over all classes, or "next" (y + 1 mod C);
    None for the matched sets, which keep the label. ``epsilon`` is the L2 radius of the attacked sets. ``robust`` says which
    kind of classifier it is meant for. ``last_step_size`` (ours; the paper's steps are all alike): of the matched sets, the length of
    the last step, to which the steps shrink evenly from ``step_size``. From 1 to 0.02, 200 steps come as near as a thousand of 0.1.
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
        if not 1 <= self.steps <= 1_000_000:
            raise UserError(f"steps must be from 1 to 1,000,000; it is {self.steps}")
        if not 0 < self.step_size < math.inf:
            raise UserError(
                f"the step size must be above 0, an L2 length in pixels of [0, 1]; it is {self.step_size:g}"
            )
        if self.last_step_size is not None and not 0 < self.last_step_size <= self.step_size:
            allowed = f"longer than 0 and at most the first ({self.step_size:g})"
            raise UserError(f"the last step must be {allowed}; it is {self.last_step_size:g}")
        if self.epsilon is not None and not 0 < self.epsilon < math.inf:
            raise UserError(
                f"epsilon must be above 0, an L2 length in pixels of [0, 1]; it is {self.epsilon:g}"
            )
        if self.start not in (None, IMAGE, NOISE):
            raise UserError(f"unknown start {self.start!r}: it is image or noise")

    def step_length(self, step: int) -> float:
        """The L2 length of ``step``, the first being 0."""
        if self.last_step_size is None or self.steps == 1:
            return self.step_size
        return self.step_size + (self.last_step_size - self.step_size) * step / (self.steps - 1)

    @property
    def matches(self) -> bool:
        """Whether it matches representations (D_R, D_NR) rather than attacks towards a class (D_rand, D_det)."""
        return self.target is None


D_R = Construction("d_r", "D_R, robustified", True, steps=1000, step_size=0.1, start=IMAGE)
D_NR = Construction("d_nr", "D_NR, non-robust", False, steps=1000, step_size=0.1, start=IMAGE)
D_RAND = Construction(
    "d_rand", "D_rand, random labels", False, steps=100, step_size=0.1, target=UNIFORM, epsilon=0.5
)
D_DET = Construction(
    "d_det",
    "D_det, labels shifted by one",
    False,
    steps=100,
    step_size=0.1,
    target=NEXT,
    epsilon=0.5,
)
CONSTRUCTIONS = {each.name: each for each in (D_R, D_NR, D_RAND, D_DET)}
NOISE_STEPS = 10_000  # the paper's number of steps for D_R from noise


@dataclass(frozen=True)
class Constructed:
    """``images`` float32 [N, 3, H, W] in [0, 1]; ``objective`` float32 [T + 1, N] along the way, to be lowered: the feature distance
    ‖g(x_r) − g(x)‖₂ of the matched sets, the cross-entropy of the target of the attacked ones."""

    images: Tensor
    objective: Tensor


def generator_for(purpose: str, seed: int, index: int) -> torch.Generator:
    """The random numbers of one image for one purpose: they depend on seed and index alone, whoever computes them and when."""
    digest = hashlib.sha256(f"{purpose}:{seed}:{index}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def start_index(seed: int, index: int, population: int) -> int:
    """Which image of the source matching starts from, for the image at ``index``: uniform, whatever the labels."""
    return int(torch.randint(population, (1,), generator=generator_for("start", seed, index)))


def noise(seed: int, index: int, shape: Sequence[int]) -> Tensor:
    """A start of independent uniform values, float32 of ``shape``."""
    return torch.rand(tuple(shape), generator=generator_for("noise", seed, index))


def target_class(
    construction: Construction, seed: int, index: int, label: int, classes: int
) -> int:
    """The new label t: uniform over all classes, the image's own among them, or (y + 1) mod C."""
    if construction.target == NEXT:
        return (label + 1) % classes
    return int(torch.randint(classes, (1,), generator=generator_for("target", seed, index)))
