"""The adversarial picture made on one classifier, shown to the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.one_image.attack_image import is_success, outcome_of, predict
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport, Prediction


@dataclass(frozen=True)
class TransferAnswer:
    """What a classifier says of another's original (``before``) and adversarial image (``after``).

    ``outcome`` is one of :data:`~explorer.experiments.one_image.report.OUTCOMES`, and ``success``
    as in :class:`AttackReport`, both by the label and the target of the classifier that answers.
    """

    before: Prediction
    after: Prediction
    outcome: str
    success: bool


@dataclass(frozen=True)
class Transfer:
    """The adversarial picture made on the classifier ``made_on``, shown to ``shown_to``.

    ``answer`` is None where it can't be shown; ``note`` says why, or how it was changed for that.
    """

    made_on: str
    shown_to: str
    answer: TransferAnswer | None
    note: str = ""


def transfers_between(
    classifiers: Mapping[str, Classifier],
    recipes: Mapping[str, Recipe],
    reports: Mapping[str, AttackReport],
    *,
    on_step: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Transfer, ...]:
    """Each adversarial picture shown to each classifier: ``reports`` of ``recipes``, by name.

    A picture of another size is resized, and the answer compared with that to the original resized
    likewise. ``on_step(done, total)`` counts the pairs. Raises
    :class:`~explorer.errors.Cancelled` when ``cancelled()`` is true.
    """
    pairs = list(product(reports, reports))
    transfers: list[Transfer] = []
    for made_on, shown_to in pairs:
        if cancelled is not None and cancelled():
            raise Cancelled
        transfers.append(_transfer(made_on, shown_to, classifiers, recipes, reports))
        if on_step is not None:
            on_step(len(transfers), len(pairs))
    return tuple(transfers)


def _transfer(
    made_on: str,
    shown_to: str,
    classifiers: Mapping[str, Classifier],
    recipes: Mapping[str, Recipe],
    reports: Mapping[str, AttackReport],
) -> Transfer:
    report, model, own = reports[made_on], classifiers[shown_to], reports[shown_to]
    if made_on == shown_to:
        answer = TransferAnswer(report.before, report.after, report.outcome, report.success)
        return Transfer(made_on, shown_to, answer)
    channels, height, width = report.original.shape
    if channels != model.channels:
        takes = "grey pictures" if model.channels == 1 else "pictures in colour"
        return Transfer(made_on, shown_to, None, f"it takes {takes}")
    size, note = model.input_size, ""
    if size[0] * width != size[1] * height:
        return Transfer(made_on, shown_to, None, f"it takes pictures of {size[0]} × {size[1]}")
    pictures = torch.stack([report.original, report.adversarial])
    if size != (height, width):
        pictures = _resized(pictures, size)
        note = f"resized from {height} × {width} to {size[0]} × {size[1]}"
    before, after = predict(model, pictures)
    label = own.label
    if recipes[shown_to].label is None:  # its own prediction, for the picture as it is shown here
        label = before.index
    outcome = outcome_of(before.index, after.index, label, own.target)
    success = is_success(after.index, label, own.target)
    return Transfer(made_on, shown_to, TransferAnswer(before, after, outcome, success), note)


def _resized(pictures: Tensor, size: tuple[int, int]) -> Tensor:
    """The pictures [N, C, H, W] at ``size`` (height, width), bilinear and antialiased."""
    resized = nn.functional.interpolate(pictures, size, mode="bilinear", antialias=True)
    return resized.clamp(0, 1)
