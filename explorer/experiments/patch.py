"""An adversarial patch: a small picture that, stuck anywhere, makes a classifier say its target.

Brown et al. (2017, arXiv 1712.09665). The patch replaces what it covers instead of changing every
pixel a little, so that there is no ε. It is fitted by expectation over transformation: each step
sticks it on other pictures, at random places, sizes and rotations, and lowers the mean
cross-entropy of the target there. It begins with four times its area and shrinks: a large patch
soon shows what looks like the target, which then only has to work while it gets smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import count

import torch
from torch import Tensor

from explorer.attacks import AttackError
from explorer.attacks.arguments import as_count, as_seed
from explorer.attacks.objective import Objective
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.datasets.labelled import LabelledImages
from explorer.engine import GradientModel, gradient_model
from explorer.errors import Cancelled
from explorer.experiments.draw_order import DrawOrder
from explorer.experiments.fooled_share import Change, FooledShare, IsCancelled, fooled_share
from explorer.experiments.placement import Placements, random_placements, stick
from explorer.experiments.sweep.set_attack import pixels_of

MAX_STEPS, MAX_BATCH = 10_000, 256
MIN_AREA, MAX_AREA = 0.005, 0.5  # of the picture
MAX_ROTATION = 180.0  # degrees
FIRST_AREA, SHRINKING = 4.0, 0.6  # times the area at first; the share of the steps that shrink it
SPREAD = 0.05  # of the side, in the steps
RATE, LAST_RATE = 0.08, 0.1  # of Adam, in pixels of [0, 1]; the share that is left at the end
DECAYS = (0.8, 0.95)  # of Adam's running means
PREVIEW_INTERVAL = 5  # steps

OnStep = Callable[[int, int], None]
OnPreview = Callable[[Tensor], None]


@dataclass(frozen=True)
class PatchAttack:
    """How the patch is fitted: ``steps`` on ``batch`` pictures each, towards the class ``target``.

    ``area`` is its share of the picture, ``rotation`` the largest angle in degrees. ``seed``
    decides about all that is random, and ``precision`` is that of the gradients. Raises
    :class:`AttackError` for values that can't be used.
    """

    target: int
    _: KW_ONLY
    area: float = 0.05
    rotation: float = 20.0
    steps: int = 150
    batch: int = 8
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        as_count("steps", self.steps, MAX_STEPS)
        as_count("batch", self.batch, MAX_BATCH)
        as_seed(self.seed)
        if not MIN_AREA <= self.area <= MAX_AREA:
            raise AttackError(
                f"the patch's area must be from {MIN_AREA:g} to {MAX_AREA:g} of the picture; it is "
                f"{self.area:g}"
            )
        if not 0 <= self.rotation <= MAX_ROTATION:
            raise AttackError(
                f"the rotation must be from 0 to {MAX_ROTATION:g} degrees; it is {self.rotation:g}"
            )

    def area_at(self, step: int) -> float:
        """The patch's area in ``step`` (0, 1, …), as a share of the picture."""
        done = min(1.0, step / (SHRINKING * self.steps))
        return float(min(MAX_AREA, self.area * FIRST_AREA ** (1 - done)))

    def rate(self, step: int) -> float:
        """The rate of Adam in ``step``."""
        return RATE * (1 - (1 - LAST_RATE) * step / self.steps)

    def held_out(self, count: int) -> Placements:
        """Places on ``count`` pictures that no step has used, with the exact area."""
        return random_placements(count, self.area, self.rotation, _generator(self.seed, 1))


@dataclass(frozen=True, eq=False)
class Patch:
    """``pixels`` float32 [C, P, P], fitted to ``fitted`` pictures, and how often it works.

    ``shares`` count the pictures of other classes that are called the target with the patch at a
    held-out place: of the attacked classifier, then of the others. ``noise`` are those of a patch
    of random noise at the same places.
    """

    pixels: Tensor
    fitted: int
    shares: tuple[FooledShare, ...]
    noise: tuple[FooledShare, ...]


def fit_patch(
    classifier: Classifier,
    data: LabelledImages,
    attack: PatchAttack,
    *,
    on_step: OnStep = lambda done, steps: None,
    on_preview: OnPreview = lambda patch: None,
    cancelled: IsCancelled | None = None,
) -> Tensor:
    """The patch, float32 [C, P, P] in [0, 1] on the CPU; P suits the classifier's input.

    ``on_step(done, steps)`` is called after each step, ``on_preview(patch)`` every few of them.
    Raises :class:`AttackError` where there are no pictures, or for a class that the classifier
    lacks, and :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    if not len(data):
        raise AttackError("there are no pictures to fit a patch to; give one at least")
    if not 0 <= attack.target < len(classifier.labels):
        raise AttackError(f"the target must be a class from 0 to {len(classifier.labels) - 1}")
    surrogate, _ = gradient_model(classifier, attack.precision)
    generator = _generator(attack.seed, 0)
    order = DrawOrder(len(data), generator)
    side = patch_side(data.images, attack.area)
    adam = _Adam(torch.full((data.images.shape[1], side, side), 0.5))
    with evaluation_mode(classifier):
        for step in range(attack.steps):
            if cancelled is not None and cancelled():
                raise Cancelled
            rows = order.next(min(attack.batch, len(data)))
            area = attack.area_at(step)
            places = random_placements(len(rows), area, attack.rotation, generator, SPREAD)
            gradient = _gradient(surrogate, data.take(rows), adam.value, places, attack.target)
            adam.descend(gradient, attack.rate(step))
            if step % PREVIEW_INTERVAL == 0:
                on_preview(adam.value)
            on_step(step + 1, attack.steps)
    return adam.value


def patch_side(images: Tensor, area: float) -> int:
    """The side of a patch of this area in pixels of ``images`` [N, C, H, W]."""
    return max(4, round(float(area**0.5) * max(images.shape[-2:])))


def sticking(patch: Tensor, places: Placements) -> Change:
    """The change that sticks ``patch`` on each picture, at the place of its position."""
    return lambda pixels, positions: stick(pixels, patch, places.take(positions))


def noise_patch(patch: Tensor, seed: int) -> Tensor:
    """A patch of random noise of the same shape."""
    return torch.rand(patch.shape, generator=_generator(seed, 2))


def patch_shares(
    patch: Tensor,
    classifiers: Mapping[str, Classifier],
    others: Mapping[str, LabelledImages],
    targets: Mapping[str, int],
    attack: PatchAttack,
    *,
    on_step: Callable[[], None] = lambda: None,
    cancelled: IsCancelled | None = None,
) -> tuple[FooledShare, ...]:
    """How often each of the ``classifiers``, by name, says its target of a picture with the patch.

    ``others`` and ``targets`` are the pictures, with the classes that each classifier knows, and
    the target's index there.
    """
    shares: list[FooledShare] = []
    for name, model in classifiers.items():
        change = sticking(patch, attack.held_out(len(others[name])))
        shares.append(
            fooled_share(name, model, others[name], change, targets[name], cancelled=cancelled)
        )
        on_step()
    return tuple(shares)


def adversarial_patch(
    classifiers: Mapping[str, Classifier],
    fit: LabelledImages,
    others: Mapping[str, LabelledImages],
    targets: Mapping[str, int],
    attack: PatchAttack,
    *,
    on_step: OnStep = lambda done, steps: None,
    on_preview: OnPreview = lambda patch: None,
    cancelled: IsCancelled | None = None,
) -> Patch:
    """A patch fitted to ``fit`` on the first of the ``classifiers``, by name, scored on ``others``.

    See :func:`patch_shares`. Raises :class:`AttackError`, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    total = attack.steps + 2 * len(classifiers)
    attacked = next(iter(classifiers.values()))
    pixels = fit_patch(
        attacked,
        fit,
        attack,
        on_step=lambda step, steps: on_step(step, total),
        on_preview=on_preview,
        cancelled=cancelled,
    )
    on_preview(pixels)
    return scored_patch(
        pixels,
        len(fit),
        classifiers,
        others,
        targets,
        attack,
        on_step=lambda step, steps: on_step(attack.steps + step, total),
        cancelled=cancelled,
    )


def scored_patch(
    pixels: Tensor,
    fitted: int,
    classifiers: Mapping[str, Classifier],
    others: Mapping[str, LabelledImages],
    targets: Mapping[str, int],
    attack: PatchAttack,
    *,
    on_step: OnStep = lambda done, steps: None,
    cancelled: IsCancelled | None = None,
) -> Patch:
    """The patch ``pixels``, ``fitted`` to so many pictures before, with its shares and noise's."""
    numbers = count(1)

    def score(patch: Tensor) -> tuple[FooledShare, ...]:
        return patch_shares(
            patch,
            classifiers,
            others,
            targets,
            attack,
            on_step=lambda: on_step(next(numbers), 2 * len(classifiers)),
            cancelled=cancelled,
        )

    return Patch(pixels, fitted, score(pixels), score(noise_patch(pixels, attack.seed)))


def _gradient(
    surrogate: GradientModel,
    data: LabelledImages,
    patch: Tensor,
    places: Placements,
    target: int,
) -> Tensor:
    """The gradient [C, P, P] for the patch of the target's summed cross-entropy."""
    leaf = patch.clone().requires_grad_(True)
    with torch.enable_grad():
        pictures = stick(pixels_of(data.images), leaf, places)
    device = surrogate.network.device
    labels = data.labels.to(device)
    objective = Objective("ce", labels, torch.full_like(labels, target))
    evaluation = objective(surrogate, pictures.detach().to(device))
    assert evaluation.gradient is not None
    towards = evaluation.gradient * evaluation.scale[:, None, None, None]
    (gradient,) = torch.autograd.grad(pictures, leaf, -towards.cpu())
    return gradient


@dataclass
class _Adam:
    """Adam (Kingma & Ba 2015) on a ``value`` that stays in [0, 1]."""

    value: Tensor

    def __post_init__(self) -> None:
        self._mean, self._square = torch.zeros_like(self.value), torch.zeros_like(self.value)
        self._steps = 0

    def descend(self, gradient: Tensor, rate: float) -> None:
        """One step against ``gradient``."""
        first, second = DECAYS
        self._steps += 1
        self._mean = first * self._mean + (1 - first) * gradient
        self._square = second * self._square + (1 - second) * gradient.square()
        mean = self._mean / (1 - first**self._steps)
        square = self._square / (1 - second**self._steps)
        self.value = (self.value - rate * mean / (square.sqrt() + 1e-8)).clamp(0, 1)


def _generator(seed: int, purpose: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + purpose) % 2**63)
