"""One classifier's row: the triptych of its attack, noise of the same size, and confidence bars."""

from __future__ import annotations

from typing import Any

from explorer.classifiers import Entry
from explorer.experiments.noise_control import NoiseControl
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.figures.captions import confidence_text
from explorer.figures.comparison_table import fooled_draws
from explorer.figures.palette import (
    ADVERSARIAL,
    ORIGINAL,
    OUTCOME_MARKS,
    PREDICTED,
)
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import data_uri
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.imports import picture_drawn
from explorer.ui.shared.triptych import cost_data, triptych_data

BARS = 3  # classes at least; the label, the target and all predictions may be more

_draw = component(__file__, "closer", "measures")


def classifier_row(
    response: AttackResponse, noise: NoiseControl | None, entry: Entry, colour: str, key: str
) -> None:
    """Draw the row, marked with the classifier's ``colour``. Until ``noise`` is there, its place
    is kept.
    """
    data = row_data(response.report, noise, entry, colour)
    _draw(key=key, data={**data, **cost_data(response, 0.0), "place": key})
    picture_drawn()


def row_data(
    report: AttackReport, noise: NoiseControl | None, entry: Entry, colour: str
) -> dict[str, Any]:
    """Everything that the browser shows of a row, as plain text, numbers and lossless PNGs."""
    data = triptych_data(report)
    pictures = [*data["pictures"], _noise_picture(report, noise)]
    return {
        **data,
        "title": entry.title,
        "training": "robust" if entry.robust else "standard",
        "colour": colour,
        "pictures": pictures,
        "bars": _bars(report, noise),
    }


def _noise_picture(report: AttackReport, noise: NoiseControl | None) -> dict[str, Any]:
    if noise is None:
        title, empty = "original + noise", {"src": None, "alt": "", "colour": None, "note": ""}
        return {"title": title, "name": "…", "confidence": "", **empty}
    if report.recipe.norm == "linf":
        size = f"L∞ {format_epsilon(noise.linf, 'linf')}"
    else:
        size = f"L2 {noise.l2:.3g}"
    confidence = confidence_text(noise.prediction.confidence)
    return {
        "title": f"original + noise, {size}",
        "src": data_uri(to_png(noise.image), "image/png"),
        "alt": f"original + noise: the classifier says {noise.prediction.name}, {confidence}",
        "name": noise.prediction.name,
        "confidence": f"{confidence} confidence",
        "colour": OUTCOME_MARKS[noise.outcome].colour if noise.outcome == "fooled" else None,
        "note": fooled_draws(noise),
    }


def _bars(report: AttackReport, noise: NoiseControl | None) -> list[dict[str, Any]]:
    """For each class its probability for the original, with noise, and for the adversarial image.

    The classes are the label, the target and all predictions, then the most probable ones.
    """
    pictures = (
        ("original", report.before, ORIGINAL),
        ("with noise", None if noise is None else noise.prediction, PREDICTED),
        ("adversarial", report.after, ADVERSARIAL),
    )
    roles = {report.label: "label"}
    if report.target is not None:
        roles[report.target] = "target"
    predicted = [prediction.index for _, prediction, _ in pictures if prediction is not None]
    classes = dict.fromkeys([*roles, *predicted])
    likely = report.before.probabilities.maximum(report.after.probabilities)
    for index in likely.argsort(descending=True, stable=True).tolist():
        if len(classes) >= BARS:
            break
        classes[index] = None
    return [
        {
            "name": report.names[index],
            "role": roles.get(index, ""),
            "bars": [_bar(*picture, index) for picture in pictures],
        }
        for index in classes
    ]


def _bar(picture: str, prediction: Prediction | None, colour: str, index: int) -> dict[str, Any]:
    value = 0.0 if prediction is None else float(prediction.probabilities[index])
    text = "–" if prediction is None else confidence_text(value)
    return {"picture": picture, "colour": colour, "value": value, "text": text}
