"""The attack that made adversarial examples famous: a giant panda becomes a gibbon.

Goodfellow et al. (2015), "Explaining and Harnessing Adversarial Examples", figure 1.
"""

from __future__ import annotations

from typing import Any

from explorer.images.gallery import PANDA, Sample, samples
from explorer.ui.shared.classifiers import best_imagenet

GIBBON = "gibbon"
LEVELS = 1.785  # ε = 0.007 in levels of 255
STEPS = 40
# What the figure reports: GoogLeNet's predictions for a photograph of ImageNet, under one step.
IN_THE_PAPER = (
    "In figure 1 of Goodfellow et al. (2015) one step of FGSM was enough: GoogLeNet called their "
    "photograph a “panda” at 57.7 %, the step alone a “nematode” at 8.2 %, and the sum of the two "
    "a “gibbon” at 99.3 %."
)


def panda() -> Sample | None:
    """The gallery's giant panda, or None if the gallery has no photographs."""
    return next((sample for sample in samples("imagenet") if sample.label == PANDA), None)


def panda_values() -> dict[str, Any] | None:
    """The values of the attack page's controls, by widget key.

    None if this machine has no ImageNet classifier or no panda.
    """
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
