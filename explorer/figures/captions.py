"""The words and numbers of a figure: one way to write a confidence, an attack, an outcome."""

from __future__ import annotations

from explorer.experiments.one_image.recipe import Recipe, format_epsilon
from explorer.experiments.one_image.report import AttackReport
from explorer.figures.palette import OUTCOME_MARKS

NORM_NAMES = {"linf": "L∞", "l2": "L2"}
LOSS_NAMES = {"ce": "cross-entropy", "cw": "margin", "dlr": "DLR"}


def percent(probability: float) -> str:
    """``0.577`` as ``57.7 %``. What would round to 0 or to 100 but is neither is said so: ``< 0.1 %``, ``> 99.9 %``."""
    if 0 < probability < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= probability < 1:
        return "> 99.9 %"
    return f"{100 * probability:.1f} %"


def levels(value: float) -> str:
    """A measured L∞ distance in levels of 8 bits, to four digits: ``9.63/255``."""
    return f"{255 * value:.4g}/255"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def attack_words(recipe: Recipe, target: str | None) -> str:
    """``PGD, 40 steps, L∞, ε = 4/255, target: gibbon``, or ``FGSM, L∞, …``; another loss and restarts are named too."""
    words = ["FGSM"] if recipe.is_fgsm else ["PGD", _count(recipe.steps, "step")]
    if recipe.loss != "ce":
        words.append(f"{LOSS_NAMES.get(recipe.loss, recipe.loss)} loss")
    if recipe.restarts > 1:
        words.append(_count(recipe.restarts, "restart"))
    words += [NORM_NAMES[recipe.norm], f"ε = {format_epsilon(recipe.epsilon, recipe.norm)}"]
    words.append("untargeted" if target is None else f"target: {target}")
    return ", ".join(words)


def measured_words(report: AttackReport) -> str:
    """``measured L∞ 4/255, L2 1.53, SSIM 0.981``: between the original and the adversarial image."""
    return f"measured L∞ {levels(report.linf)}, L2 {report.l2:.3g}, SSIM {report.ssim:.3f}"


def outcome_words(report: AttackReport) -> str:
    """``✗ fooled``; for an image that was wrong from the start, the label it should have had."""
    mark = OUTCOME_MARKS[report.outcome]
    label = f" (label: {report.names[report.label]})" if report.outcome == "misclassified" else ""
    return f"{mark.icon} {mark.word}{label}"
