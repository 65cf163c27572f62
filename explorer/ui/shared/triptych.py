"""The three pictures on screen: original + ε × perturbation = adversarial, each with what the classifier says of it."""

from __future__ import annotations

import time
from typing import Any

from torch import Tensor

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.figures.captions import percent
from explorer.figures.palette import OUTCOME_MARKS
from explorer.images.distances import magnification, perturbation_image
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.imports import picture_shown
from explorer.ui.shared.words import verdict

_draw = component(__file__)


def triptych(answer: AttackResponse, key: str) -> None:
    """Draw the outcome, the three pictures, what was measured and what it took."""
    begun = time.perf_counter()
    data = triptych_data(answer.report)
    _draw(key=key, data={**data, **cost(answer, time.perf_counter() - begun)})
    picture_shown()


def cost(answer: AttackResponse, encoded: float) -> dict[str, Any]:
    """What the attack took, for the line under the pictures; by stages for who points at it, in milliseconds for the benchmark."""
    recipe, timing = answer.report.recipe, answer.timing
    stages = {
        "waited": timing.waited,
        "prepared": timing.prepared,
        "attacked": timing.attacked,
        "filmed": timing.filmed,
        "encoded": encoded,
    }
    kept = "; kept from before" if timing.kept else ""
    return {
        "ran": f"attacked in {answer.report.seconds:.2f} s on {recipe.device}, steps in {recipe.precision}{kept}",
        "stages": ", ".join(f"{name} {seconds:.2f} s" for name, seconds in stages.items()),
        "timing": {
            "kept": timing.kept,
            **{name: round(1000 * seconds, 1) for name, seconds in stages.items()},
        },
    }


def triptych_data(report: AttackReport) -> dict[str, Any]:
    """The outcome and the pictures, as plain text, numbers and lossless PNGs."""
    delta = report.adversarial - report.original
    mark = OUTCOME_MARKS[report.outcome]
    factor = format_epsilon(float(delta.abs().max()), "linf")
    magnified = (
        f"perturbation, magnified {magnification(delta):.3g} ×"
        if bool(delta.any())
        else "perturbation: none"
    )
    return {
        "mark": {"icon": mark.icon, "word": mark.word, "colour": mark.colour},
        "verdict": verdict(report),
        "pixelated": max(report.original.shape[-2:]) < PIXELATED_BELOW,
        "pictures": [
            _picture("original", report.original, report.before),
            _picture(magnified, perturbation_image(delta), report.noise),
            _picture("adversarial", report.adversarial, report.after, mark.colour),
        ],
        "operators": [f"+ {factor} ×", "="],
        "measures": [
            [
                "L∞",
                format_epsilon(report.linf, "linf"),
                "largest change of any value, in pixels of [0, 1]",
            ],
            ["L2", f"{report.l2:.3g}", "Euclidean length of the change, in pixels of [0, 1]"],
            [
                "SSIM",
                f"{report.ssim:.3f}",
                "structural similarity of the two images: 1 for equal ones",
            ],
        ],
    }


def _picture(
    title: str, image: Tensor, says: Prediction, colour: str | None = None
) -> dict[str, Any]:
    return {
        "title": title,
        "src": data_uri(to_png(image), "image/png"),
        "alt": f"{title}: the classifier says {says.name}, {percent(says.confidence)}",
        "name": says.name,
        "confidence": f"{percent(says.confidence)} confidence",
        "colour": colour,
    }
