"""A universal perturbation: one δ that changes what a classifier says of most images.

Moosavi-Dezfooli et al. (2017, arXiv 1610.08401) found that one small change, added to every image,
fools a classifier on most of them. Shafahi et al. (2020, arXiv 1811.11304) find it by projected
stochastic gradient ascent on a loss clipped at β: maximise Σ min(L(f(x + δ), y), β) over the ball.
Without β the few images with the largest loss, which are fooled already, would decide the step.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from explorer.attacks import AttackError, Threat
from explorer.attacks.arguments import as_count, as_seed
from explorer.attacks.objective import Objective
from explorer.classifiers import Classifier
from explorer.classifiers.mode import evaluation_mode
from explorer.datasets.labelled import LabelledImages
from explorer.engine import GradientModel, gradient_model
from explorer.errors import Cancelled
from explorer.experiments.draw_order import DrawOrder
from explorer.experiments.fooled_share import Change, FooledShare, IsCancelled, fooled_share
from explorer.experiments.sweep.set_attack import pixels_of

MAX_STEPS, MAX_BATCH = 10_000, 1_000
LOSS_LIMIT = 3.0  # β in nats: a label's probability of 5 %
FIRST_STEP = 0.25  # of ε; the steps shrink linearly to nothing
PREVIEW_INTERVAL = 5  # steps

OnStep = Callable[[int, int], None]
OnPreview = Callable[[Tensor], None]


@dataclass(frozen=True)
class UniversalAttack:
    """How δ is fitted: ``steps`` on ``batch`` images each, drawn in an order that ``seed`` decides.

    Every image is drawn once before any is drawn again. ``epsilon`` is in pixels of [0, 1].
    ``precision`` is that of the gradients. Raises :class:`AttackError` for values that can't be
    used.
    """

    norm: str
    epsilon: float
    _: KW_ONLY
    steps: int = 100
    batch: int = 100
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        as_count("steps", self.steps, MAX_STEPS)
        as_count("batch", self.batch, MAX_BATCH)
        as_seed(self.seed)
        assert self.threat is not None

    @property
    def threat(self) -> Threat:
        """The ball that δ lies in."""
        return Threat(self.norm, self.epsilon)

    def step_size(self, step: int) -> float:
        """The length of ``step`` (0, 1, …), in the norm and in pixels of [0, 1]."""
        return FIRST_STEP * self.epsilon * (1 - step / self.steps)


@dataclass(frozen=True, eq=False)
class Universal:
    """``delta`` float32 [C, H, W], fitted to ``fitted`` images, and how often it fools.

    ``shares`` are on other images: of the attacked classifier, then of the others. ``noise`` are
    those of a random change of the same size. All count the images that were right before.
    """

    delta: Tensor
    fitted: int
    shares: tuple[FooledShare, ...]
    noise: tuple[FooledShare, ...]


def fit_universal(
    classifier: Classifier,
    data: LabelledImages,
    attack: UniversalAttack,
    *,
    on_step: OnStep = lambda done, steps: None,
    on_preview: OnPreview = lambda delta: None,
    cancelled: IsCancelled | None = None,
) -> Tensor:
    """δ float32 [C, H, W] that raises the loss of all images of ``data``; on the CPU.

    ``on_step(done, steps)`` is called after each step, ``on_preview(delta)`` every few of them.
    Raises :class:`AttackError` where there are no images, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    if not len(data):
        raise AttackError("there are no images to fit a perturbation to; give one at least")
    surrogate, _ = gradient_model(classifier, attack.precision)
    order = DrawOrder(len(data), torch.Generator().manual_seed(attack.seed % 2**63))
    delta = torch.zeros(1, *data.images.shape[1:], device=classifier.device)
    with evaluation_mode(classifier):
        for step in range(attack.steps):
            if cancelled is not None and cancelled():
                raise Cancelled
            rows = order.next(min(attack.batch, len(data)))
            pixels = pixels_of(data.images[rows]).to(delta)
            labels = data.labels[rows].to(delta.device)
            gradient = clipped_gradient(surrogate, (pixels + delta).clamp(0, 1), labels)
            direction = attack.threat.normalized_gradient(gradient.sum(dim=0, keepdim=True))
            delta = attack.threat.project(delta + attack.step_size(step) * direction)
            if step % PREVIEW_INTERVAL == 0:
                on_preview(delta[0].cpu())
            on_step(step + 1, attack.steps)
    return delta[0].cpu()


def random_change(attack: UniversalAttack, shape: torch.Size) -> Tensor:
    """Random noise [C, H, W] exactly as large as the ball: signs for L∞, a direction for L2."""
    generator = torch.Generator().manual_seed(attack.seed % 2**63)
    noise = torch.randn((1, *shape), generator=generator)
    return (attack.epsilon * attack.threat.normalized_gradient(noise))[0]


def adding(delta: Tensor) -> Change:
    """The change that adds ``delta`` [C, H, W] to every image and clamps it to [0, 1]."""
    return lambda pixels, positions: (pixels + delta).clamp(0, 1)


def universal(
    classifiers: Mapping[str, Classifier],
    fit: LabelledImages,
    others: Mapping[str, LabelledImages],
    attack: UniversalAttack,
    *,
    on_step: OnStep = lambda done, steps: None,
    on_preview: OnPreview = lambda delta: None,
    cancelled: IsCancelled | None = None,
) -> Universal:
    """δ fitted to ``fit`` on the first of the ``classifiers``, by name, and scored on ``others``.

    ``others`` has images that δ was not fitted to, for each classifier with its class indices.
    Raises :class:`AttackError` where a classifier takes images of another size, and
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    check_same_input(classifiers)
    total = attack.steps + 2 * len(classifiers)

    def fitted_steps(done: int, steps: int) -> None:
        on_step(done, total)

    name, *_ = classifiers
    delta = fit_universal(
        classifiers[name],
        fit,
        attack,
        on_step=fitted_steps,
        on_preview=on_preview,
        cancelled=cancelled,
    )
    on_preview(delta)
    changes = adding(delta), adding(random_change(attack, delta.shape))
    shares: list[FooledShare] = []
    for change in changes:
        for each, model in classifiers.items():
            share = fooled_share(each, model, others[each], change, cancelled=cancelled)
            shares.append(share)
            on_step(attack.steps + len(shares), total)
    count = len(classifiers)
    return Universal(delta, len(fit), tuple(shares[:count]), tuple(shares[count:]))


def check_same_input(classifiers: Mapping[str, Classifier]) -> None:
    """Raise :class:`AttackError` unless all classifiers take images of one size and colour."""
    first, *others = classifiers.values()
    for other in others:
        if (other.input_size, other.channels) != (first.input_size, first.channels):
            raise AttackError(
                f"{other.name} takes images of another size or colour than {first.name}; choose "
                "classifiers of the same data"
            )


def clipped_gradient(surrogate: GradientModel, images: Tensor, labels: Tensor) -> Tensor:
    """The gradient [N, C, H, W] of min(L, β) at ``images``: zero where the loss is above β."""
    evaluation = Objective("ce", labels, None)(surrogate, images)
    assert evaluation.gradient is not None
    counts = evaluation.scale * (evaluation.loss < LOSS_LIMIT)
    return evaluation.gradient * counts[:, None, None, None]
