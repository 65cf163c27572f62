"""An attacked image at one ε as the browser gets it: pictures, words, bars and numbers."""

from __future__ import annotations

from typing import Any

from explorer.experiments.one_image.ladder import Rung
from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackedImage
from explorer.figures.captions import levels
from explorer.figures.palette import OUTCOME_MARKS
from explorer.ui.shared.triptych import changed_data

BARS = 5


def rung_data(rung: Rung, norm: str) -> dict[str, Any]:
    """Everything that follows ε on the page; ``shown`` is what the triptych shows then."""
    return {
        **point_data(rung.image, rung.epsilon, norm),
        "is_exact": rung.is_exact,
        "shown": changed_data(rung.image),
    }


def point_data(image: AttackedImage, epsilon: float, norm: str) -> dict[str, Any]:
    """The same without pictures: for the exact result, which the triptych has already."""
    after, mark = image.after, OUTCOME_MARKS[image.outcome]
    probabilities = {
        "label": float(after.probabilities[image.label]),
        "predicted": after.confidence,
    }
    if image.target is not None:
        probabilities["target"] = float(after.probabilities[image.target])
    return {
        "epsilon": epsilon,
        "text": format_epsilon(epsilon, norm),
        "is_exact": True,
        "success": image.success,
        "mark": {"icon": mark.icon, "word": mark.word, "colour": mark.colour},
        "predicted": after.name,
        "probabilities": probabilities,
        "bars": _bars(image),
        "measured": f"L∞ {levels(image.linf)}, L2 {image.l2:.3g}, SSIM {image.ssim:.3f}",
    }


def _bars(image: AttackedImage) -> list[dict[str, Any]]:
    """The label and the target, and below them the most probable other classes: five in all."""
    after, before = image.after.probabilities, image.before.probabilities
    aims = [image.label] if image.target is None else [image.label, image.target]
    others = [i for i in after.argsort(descending=True, stable=True).tolist() if i not in aims]
    roles = {image.label: "label", image.target: "target"}
    return [
        {
            "name": image.names[index],
            "role": roles.get(index, ""),
            "before": float(before[index]),
            "after": float(after[index]),
        }
        for index in [*aims, *others][:BARS]
    ]
