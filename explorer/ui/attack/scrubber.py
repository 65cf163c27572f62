"""Step by step in the browser: the image as it was, what the classifier said of it, and the curves, moved by one slider.

All frames and numbers go to the browser once; playing and scrubbing then need no server.
"""

from __future__ import annotations

import hashlib
from typing import Any

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures import palette
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW
from explorer.ui.components.sprite_sheet import SpriteSheet

LOSS_NAMES = {"ce": "cross-entropy", "cw": "margin", "dlr": "DLR loss"}

_draw = component(__file__)


def scrubber(report: AttackReport, film: SpriteSheet | None, key: str) -> None:
    """Draw the curves of ``report`` and, where there is a film, the image at each of its steps."""
    _draw(key=key, data=scrubber_data(report, film))


def scrubber_data(report: AttackReport, film: SpriteSheet | None) -> dict[str, Any]:
    """Everything the browser shows. Lists have one entry for each of the points 0 … T."""
    trace = report.trace
    probabilities = trace.logits[:, 0].softmax(dim=1)
    top, predicted = probabilities.max(dim=1)
    curves = [
        _curve(
            f"label: {report.names[report.label]}",
            probabilities[:, report.label].tolist(),
            palette.LABEL,
            "",
        )
    ]
    if report.target is not None:
        target = probabilities[:, report.target].tolist()
        curves.append(_curve(f"target: {report.names[report.target]}", target, palette.TARGET, ""))
    curves.insert(0, _curve("the class it predicts", top.tolist(), palette.PREDICTED, "2 3"))
    loss = trace.loss[:, 0].tolist()
    return {
        "id": hashlib.sha256(repr((report.recipe, loss)).encode()).hexdigest(),
        "film": None if film is None else {**vars(film), "steps": list(film.steps)},
        "pixelated": max(report.original.shape[-2:]) < PIXELATED_BELOW,
        "steps": trace.steps,
        "kept": int(trace.kept[0]),
        "names": [report.names[index] for index in predicted.tolist()],
        "confidence": top.tolist(),
        "success": trace.success[:, 0].tolist(),
        "distance": [
            _distance(value, report.recipe.norm) for value in trace.distance[:, 0].tolist()
        ],
        "charts": [
            {"title": "probability", "unit": "%", "curves": curves},
            {
                "title": _loss_title(report),
                "unit": "",
                "curves": [_curve("loss", loss, palette.LOSS, "")],
            },
        ],
    }


def _curve(name: str, values: list[float], colour: str, dash: str) -> dict[str, Any]:
    return {"name": name, "values": values, "colour": colour, "dash": dash}


def _loss_title(report: AttackReport) -> str:
    """The objective as the attack sees it, which it raises."""
    name = LOSS_NAMES[report.recipe.loss]
    if report.recipe.loss != "ce":
        return name
    return f"{name} of the label" if report.target is None else f"− {name} of the target"


def _distance(value: float, norm: str) -> str:
    return f"L∞ {format_epsilon(value, norm)}" if norm == "linf" else f"L2 {value:.3g}"
