"""The three pictures on screen: original + ε × perturbation = adversarial, with predictions."""

from __future__ import annotations

import time
from typing import Any

from torch import Tensor

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.one_image.report import AttackedImage, Prediction
from explorer.figures.captions import confidence_text
from explorer.figures.palette import OUTCOME_MARKS
from explorer.images.distances import magnification, perturbation_image
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.glossary import GLOSSARY
from explorer.ui.shared.imports import picture_drawn
from explorer.ui.shared.words import verdict

_draw = component(__file__, "closer", "measures")


def triptych(response: AttackResponse, key: str) -> None:
    """Draw the outcome, the three pictures, the measured distances and the time the attack took."""
    started = time.perf_counter()
    data = triptych_data(response.report)
    cost = cost_data(response, time.perf_counter() - started)
    _draw(key=key, data={**data, **cost, "place": key})
    picture_drawn()


def cost_data(response: AttackResponse, encoding: float) -> dict[str, Any]:
    """The time the attack took: ``cost`` for the line under the pictures, ``stages`` and what gave
    the gradients for its tooltip, ``timing`` in milliseconds for the benchmark. ``encoding``:
    seconds for the PNGs.
    """
    recipe, timing = response.report.recipe, response.timing
    stages = {
        "queue": timing.queue,
        "preparation": timing.preparation,
        "attack": timing.attack,
        "sprite_sheet": timing.sprite_sheet,
        "encoding": encoding,
    }
    precision, gradients = recipe.precision, f"gradients in {recipe.precision}"
    if precision == "folded":
        precision = "float32, folded"
        gradients = "gradients in float32, by a quicker copy of the network with its layers folded"
    cache = ", from cache" if timing.from_cache else ""
    seconds = f"{timing.attack:.2f} s"
    return {
        "cost": f"computed in {seconds} ({recipe.device.upper()}, {precision}){cache}",
        "stages": ", ".join(
            (
                gradients,
                *(f"{name.replace('_', ' ')} {each:.2f} s" for name, each in stages.items()),
            )
        ),
        "timing": {
            "from_cache": timing.from_cache,
            **{name: round(1000 * duration, 1) for name, duration in stages.items()},
        },
    }


def triptych_data(image: AttackedImage) -> dict[str, Any]:
    """The outcome and the pictures, as plain text, numbers and lossless PNGs."""
    changed = changed_data(image)
    original = _picture("original", image.original, image.before)
    return {
        **changed,
        "pixelated": max(image.original.shape[-2:]) < PIXELATED_BELOW,
        "pictures": [original, *changed["pictures"]],
    }


def changed_data(image: AttackedImage) -> dict[str, Any]:
    """What differs for another attack on the same picture: all but the original."""
    delta = image.adversarial - image.original
    mark = OUTCOME_MARKS[image.outcome]
    factor = format_epsilon(float(delta.abs().max()), "linf")
    perturbation = "perturbation: none"
    if bool(delta.any()):
        perturbation = f"perturbation, magnified {magnification(delta):.3g} ×"
    values = {
        "linf": format_epsilon(image.linf, "linf"),
        "l2": f"{image.l2:.3g}",
        "ssim": f"{image.ssim:.3f}",
    }
    return {
        "mark": {"icon": mark.icon, "word": mark.word, "colour": mark.colour},
        "verdict": verdict(image),
        "pictures": [
            _picture(perturbation, perturbation_image(delta), image.noise),
            _picture("adversarial", image.adversarial, image.after, mark.colour),
        ],
        "operators": [f"+ {factor} ×", "="],
        "measures": [
            [GLOSSARY[term].name, value, GLOSSARY[term].text] for term, value in values.items()
        ],
    }


def _picture(
    title: str, image: Tensor, prediction: Prediction, colour: str | None = None
) -> dict[str, Any]:
    confidence = confidence_text(prediction.confidence)
    return {
        "title": title,
        "src": data_uri(to_png(image), "image/png"),
        "alt": f"{title}: the classifier says {prediction.name}, {confidence}",
        "name": prediction.name,
        "confidence": f"{confidence} confidence",
        "colour": colour,
    }
