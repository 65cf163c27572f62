"""The attack step by step: the image, its prediction and the curves, moved by one slider.

All frames and numbers are sent to the browser once; playing and scrubbing then need no server.
"""

from __future__ import annotations

import hashlib
from typing import Any

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures import palette
from explorer.figures.loss_words import LOSS_WORDS
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW
from explorer.ui.components.sprite_sheet import SpriteSheet

_draw = component(__file__)


def scrubber(report: AttackReport, sprite_sheet: SpriteSheet | None, key: str) -> None:
    """Draw the curves of ``report`` and, with a sprite sheet, the image at each of its steps."""
    _draw(key=key, data=scrubber_data(report, sprite_sheet))


def scrubber_data(report: AttackReport, sprite_sheet: SpriteSheet | None) -> dict[str, Any]:
    """Everything the browser shows. Lists have one item for each of the points 0 … T."""
    trace = report.trace
    probabilities = trace.logits[:, 0].softmax(dim=1)
    confidence, predicted = probabilities.max(dim=1)
    label = probabilities[:, report.label].tolist()
    curves = [
        _curve("the class it predicts", confidence.tolist(), palette.PREDICTED, "2 3"),
        _curve(f"label: {report.names[report.label]}", label, palette.LABEL, ""),
    ]
    if report.target is not None:
        target = probabilities[:, report.target].tolist()
        curves.append(_curve(f"target: {report.names[report.target]}", target, palette.TARGET, ""))
    loss = trace.loss[:, 0].tolist()
    loss_curve = _curve("loss", loss, palette.LOSS, "")
    distance = trace.distance[:, 0].tolist()
    return {
        "id": hashlib.sha256(repr((report.recipe, loss)).encode()).hexdigest(),
        "sprites": (
            None if sprite_sheet is None else {**vars(sprite_sheet), "steps": [*sprite_sheet.steps]}
        ),
        "pixelated": max(report.original.shape[-2:]) < PIXELATED_BELOW,
        "steps": trace.steps,
        "kept_step": int(trace.kept[0]),
        "kept_note": "best, kept" if report.recipe.keep == "best" else "kept",
        "names": [report.names[index] for index in predicted.tolist()],
        "confidence": confidence.tolist(),
        "success": trace.success[:, 0].tolist(),
        "distance": [_distance(value, report.recipe.norm) for value in distance],
        "charts": [
            {"title": "probability", "unit": "%", "curves": curves},
            {"title": _loss_title(report), "unit": "", "curves": [loss_curve]},
        ],
    }


def _curve(name: str, values: list[float], colour: str, dash: str) -> dict[str, Any]:
    return {"name": name, "values": values, "colour": colour, "dash": dash}


def _loss_title(report: AttackReport) -> str:
    """The objective, which the attack raises: with a target, minus the target's loss."""
    name = LOSS_WORDS[report.recipe.loss].name
    if report.recipe.loss != "ce":
        return name
    return f"{name} of the label" if report.target is None else f"− {name} of the target"


def _distance(value: float, norm: str) -> str:
    return f"L∞ {format_epsilon(value, norm)}" if norm == "linf" else f"L2 {value:.3g}"
