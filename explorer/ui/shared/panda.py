"""The picture that made adversarial examples famous: a giant panda that becomes a gibbon (Goodfellow et al. 2015, figure 1)."""

from __future__ import annotations

from typing import Any

from explorer.images.gallery import PANDA, Sample, samples
from explorer.ui.shared.classifiers import best_imagenet

GIBBON = "gibbon"
LEVELS = 1.785  # ε = 0.007 in levels of 255
STEPS = 40


def panda() -> Sample | None:
    """The gallery's giant panda."""
    return next((sample for sample in samples("imagenet") if sample.label == PANDA), None)


def panda_values() -> dict[str, Any] | None:
    """The values of the controls that ask for it; None where no ImageNet classifier, or no panda, is on this machine."""
    model, sample = best_imagenet(), panda()
    if model is None or sample is None:
        return None
    return {
        "model": model,
        "source": "gallery",
        "image": sample.title,
        "norm": "L∞",
        "linf": LEVELS,
        "steps": STEPS,
        "target": GIBBON,
        "label": None,
        "crop_x": 0.5,
        "crop_y": 0.5,
        "zoom": 1.0,
    }
