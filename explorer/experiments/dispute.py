"""Bugs or features? Ordinary PGD beside an attack that is built not to transfer.

Ilyas et al. (2019) explain why adversarial examples transfer: classifiers of the same data learn
the same non-robust features. Nakkiran (2019, “Adversarial Examples are Just Bugs, Too”, Distill)
answers that there are others. His attack moves x to fool one classifier f while an ensemble of
others, trained on the same data, is to stay right:

    maximise  L(f(x'), y) − (1/m) Σ_i L(f_i(x'), y)

Both attacks begin at the images, have the same steps and the same ball. What matters is whether
classifiers that are *not* in the ensemble are fooled as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass

import torch
from torch import Tensor

from explorer.attacks import PGD, AttackError, Threat
from explorer.attacks.objective import Objective
from explorer.attacks.threat import per_sample
from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.engine import gradient_model, logits_of
from explorer.errors import Cancelled
from explorer.experiments.fooled_share import (
    FooledShare,
    IsCancelled,
    fooled_share,
    predictions,
)
from explorer.experiments.sweep.set_attack import batch_size, pixels_of
from explorer.experiments.universal import check_same_input

OnStep = Callable[[int, int], None]
MIN_ENSEMBLE = 1
LOGIT_LIMIT = 2.0  # how far above the label's logit another one has to be for the attacked model


@dataclass(frozen=True)
class DisputeAttack:
    """The settings of both attacks: those of :class:`~explorer.attacks.PGD` without random start.

    Raises :class:`AttackError` for values that can't be used.
    """

    norm: str
    epsilon: float
    _: KW_ONLY
    steps: int = 40
    precision: str = "auto"

    def __post_init__(self) -> None:
        assert self.pgd is not None

    @property
    def pgd(self) -> PGD:
        """The ordinary attack."""
        return PGD(
            Threat(self.norm, self.epsilon),
            steps=self.steps,
            random_start=False,
            precision=self.precision,
        )


@dataclass(frozen=True, eq=False)
class AttackOutcome:
    """What one of the attacks did: adversarial ``images`` float32 [N, C, H, W] of the images that
    the attacked classifier got right, whether each is ``fooled``, bool [N], and the shares.

    ``success`` is that of the attacked classifier. ``transfers`` are those of the others, of the
    images that they got right and on which the attack succeeded.
    """

    images: Tensor
    fooled: Tensor
    success: FooledShare
    transfers: tuple[FooledShare, ...]


@dataclass(frozen=True, eq=False)
class Dispute:
    """Both attacks on the same ``originals``. ``ensemble`` names those that were to stay right.

    ``noise`` is the control: of the originals that each classifier got right, the attacked one
    first, those on which random noise of the size ε fools it.
    """

    originals: LabelledImages
    ordinary: AttackOutcome
    isolated: AttackOutcome
    noise: tuple[FooledShare, ...]
    ensemble: tuple[str, ...]

    @property
    def outcomes(self) -> dict[str, AttackOutcome]:
        """Both by the name that tables use."""
        return {"ordinary": self.ordinary, "not to transfer": self.isolated}


def isolated_attack(
    attacked: Classifier,
    ensemble: Sequence[Classifier],
    images: Tensor,
    labels: Tensor,
    attack: DisputeAttack,
    *,
    targets: Tensor | None = None,
    on_step: OnStep = lambda done, steps: None,
    cancelled: IsCancelled | None = None,
) -> Tensor:
    """Images float32 [N, C, H, W] near ``images`` that fool ``attacked`` and spare ``ensemble``.

    With ``targets`` int64 [N] the attacked classifier is to say these, and the ensemble the labels.
    Of all points of an image that one is kept which fools the attacked classifier and leaves most
    of the ensemble right, by the models that give the gradients, and then has the highest
    objective. Raises :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    settings = attack.pgd
    models = [gradient_model(each, attack.precision)[0] for each in (attacked, *ensemble)]
    labels = labels.to(attacked.device)
    if targets is not None:
        targets = targets.to(attacked.device)
    own, others = Objective("cw", labels, targets), Objective("ce", labels, None)
    start = images.to(attacked.device)
    point, best = start, start
    rank = torch.full((len(images),), -1.0, device=start.device)
    value = torch.full_like(rank, float("-inf"))
    for step in range(attack.steps + 1):
        if cancelled is not None and cancelled():
            raise Cancelled
        first, *rest = (
            each(model, point)
            for each, model in zip((own, *[others] * len(ensemble)), models, strict=True)
        )
        right = sum((~others.is_success(each.logits)).float() for each in rest)
        fooled = own.is_success(first.logits)
        new_rank = fooled * (len(ensemble) + 1.0) + right
        new_value = first.loss - sum(each.loss for each in rest) / len(ensemble)
        better = (new_rank > rank) | ((new_rank == rank) & (new_value > value))
        best = torch.where(per_sample(better, point).bool(), point, best)
        rank, value = torch.where(better, new_rank, rank), torch.where(better, new_value, value)
        if step == attack.steps:
            break
        assert first.gradient is not None
        # Far enough beyond the border of its class, only the ensemble decides where to go.
        wanted = first.scale * (first.loss < LOGIT_LIMIT)
        gradient = first.gradient * per_sample(wanted, point)
        for each in rest:
            assert each.gradient is not None
            gradient = gradient - each.gradient * per_sample(each.scale / len(ensemble), point)
        length = attack.epsilon * settings.step_scale(step)
        moved = point + length * settings.threat.normalized_gradient(gradient)
        point = (start + settings.threat.project(moved - start)).clamp(0, 1)
        on_step(step + 1, attack.steps)
    return best.cpu()


def dispute(
    classifiers: Mapping[str, Classifier],
    ensemble: Sequence[str],
    data: Mapping[str, LabelledImages],
    attack: DisputeAttack,
    *,
    on_step: OnStep = lambda done, steps: None,
    on_preview: Callable[[Dispute], None] = lambda result: None,
    cancelled: IsCancelled | None = None,
) -> Dispute:
    """Both attacks on the first of the ``classifiers``, by name, shown to all the others.

    ``data`` has the same images for each with its class indices; ``ensemble`` are the names of
    those that the second attack is to spare. Raises :class:`AttackError` for an ensemble that can't
    be used, and :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    check_same_input(classifiers)
    name, *others = classifiers
    _check_ensemble(ensemble, others)
    attacked, own = classifiers[name], data[name]
    right = (predictions(attacked, own.images, cancelled=cancelled) == own.labels).nonzero()
    rows = right.flatten()
    if not len(rows):
        raise AttackError(
            f"{name} gets none of the images right, so that there is nothing to attack; "
            "choose another classifier or other images"
        )
    data = {each: one.take(rows) for each, one in data.items()}
    own = data[name]
    size = batch_size(own.images)
    batches = [slice(first, first + size) for first in range(0, len(own), size)]
    total, done = 2 * attack.steps * len(batches), 0

    def within(step: int, steps: int, loss: float = 0.0) -> None:
        on_step(done + step, total)

    images: dict[str, list[Tensor]] = {"ordinary": [], "isolated": []}
    members = [classifiers[each] for each in ensemble]
    for rows_of_batch in batches:
        pixels, labels = pixels_of(own.images[rows_of_batch]), own.labels[rows_of_batch]
        ordinary = attack.pgd(attacked, pixels, labels, on_step=within, cancelled=cancelled)
        images["ordinary"].append(ordinary.adversarial)
        done += attack.steps
        isolated = isolated_attack(
            attacked, members, pixels, labels, attack, on_step=within, cancelled=cancelled
        )
        images["isolated"].append(isolated)
        done += attack.steps
        done_images = torch.arange(rows_of_batch.start + len(pixels))
        seen = {each: one.take(done_images) for each, one in data.items()}
        ordinary_so_far, isolated_so_far = (
            _outcome(classifiers, seen, torch.cat(each)) for each in images.values()
        )
        noise = _noise_shares(classifiers, seen, attack, cancelled)
        result = Dispute(seen[name], ordinary_so_far, isolated_so_far, noise, tuple(ensemble))
        on_preview(result)
    return result


def dispute_rows(result: Dispute) -> list[dict[str, object]]:
    """The result as a table: for each attack its success and its transfer to each classifier.

    The rows of the noise are those of the control.
    """
    shares = {
        name: (outcome.success, *outcome.transfers) for name, outcome in result.outcomes.items()
    }
    return [
        {"attack": name, "in_ensemble": share.model in result.ensemble, **share.row()}
        for name, each in (*shares.items(), ("noise", result.noise))
        for share in each
    ]


def _outcome(
    classifiers: Mapping[str, Classifier], data: Mapping[str, LabelledImages], images: Tensor
) -> AttackOutcome:
    """The shares of adversarial ``images``, made of those in ``data``."""
    name, *others = classifiers
    fooled = _predicted(classifiers[name], images) != data[name].labels
    transfers = []
    for other in others:
        model, labels = classifiers[other], data[other].labels
        counted = fooled & (predictions(model, data[other].images) == labels)
        wrong = _predicted(model, images) != labels
        counts = int((counted & wrong).sum()), int(counted.sum())
        transfers.append(FooledShare(other, *counts, model.title))
    success = FooledShare(name, int(fooled.sum()), len(fooled), classifiers[name].title)
    return AttackOutcome(images, fooled, success, tuple(transfers))


def _noise_shares(
    classifiers: Mapping[str, Classifier],
    data: Mapping[str, LabelledImages],
    attack: DisputeAttack,
    cancelled: IsCancelled | None,
) -> tuple[FooledShare, ...]:
    """How often random noise exactly as large as ε fools each classifier."""

    def change(pixels: Tensor, positions: Tensor) -> Tensor:
        # The same noise for all images: a sample's does not depend on its batch.
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn((1, *pixels.shape[1:]), generator=generator)
        return (pixels + attack.epsilon * attack.pgd.threat.normalized_gradient(noise)).clamp(0, 1)

    return tuple(
        fooled_share(name, model, data[name], change, cancelled=cancelled)
        for name, model in classifiers.items()
    )


def _predicted(classifier: Classifier, images: Tensor) -> Tensor:
    return logits_of(classifier, images.to(classifier.device)).argmax(dim=1).cpu()


def _check_ensemble(ensemble: Sequence[str], others: Sequence[str]) -> None:
    if len(ensemble) < MIN_ENSEMBLE or not set(ensemble) <= set(others):
        raise AttackError(
            "the ensemble must be one or more of the classifiers that are not attacked, such as "
            f"{', '.join(others[:2]) or 'another one of the same data'}"
        )
