"""The words and numbers of a figure: confidences, distances, the attack and its outcome."""

from __future__ import annotations

from explorer.errors import count_of as count_of
from explorer.experiments.one_image.recipe import Recipe, format_epsilon
from explorer.experiments.one_image.report import AttackedImage, AttackReport
from explorer.figures.loss_words import LOSS_WORDS
from explorer.figures.palette import OUTCOME_MARKS

NORM_NAMES = {"linf": "L∞", "l2": "L2"}


def percent(share: float) -> str:
    """``57.7 %`` for 0.577, a share of images or another figure that may be exactly 0 or 1.

    One that would round to 0 or 100 % without being 0 or 1 becomes ``< 0.1 %`` or ``> 99.9 %``.
    """
    return f"{100 * share:.1f} %" if share in (0, 1) else confidence_text(share)


def confidence_text(probability: float) -> str:
    """``57.7 %`` for 0.577, a classifier's confidence in a class.

    A softmax, like the normal distribution, is never 0 or 1, though float32 rounds it to these:
    the extremes are ``< 0.1 %`` and ``> 99.9 %``.
    """
    if 0 <= probability < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= probability <= 1:
        return "> 99.9 %"
    return f"{100 * probability:.1f} %"


def hundredths(value: float) -> str:
    """``−0.12`` for −0.123: two decimals, with a minus sign, and 0.00 never has one."""
    return f"{value:z.2f}".replace("-", "−")


def levels(value: float) -> str:
    """An L∞ distance in 8-bit levels, to four digits: ``9.63/255``."""
    return f"{255 * value:.4g}/255"


def attack_caption(recipe: Recipe, target: str | None) -> str:
    """``PGD, 40 steps, L∞, ε = 4/255, target: gibbon``, or ``FGSM, L∞, …``.

    The loss is named unless it is cross-entropy, and the number of restarts unless it is 1.
    """
    parts = ["FGSM"] if recipe.is_fgsm else ["PGD", count_of(recipe.steps, "step")]
    if recipe.rule != Recipe.rule:
        parts.append(recipe.rule)
    if recipe.effort:
        parts.append(recipe.effort)
    if recipe.loss != "ce":
        parts.append(f"{LOSS_WORDS[recipe.loss].name} loss")
    if recipe.restarts > 1:
        parts.append(count_of(recipe.restarts, "restart"))
    parts += [NORM_NAMES[recipe.norm], f"ε = {format_epsilon(recipe.epsilon, recipe.norm)}"]
    parts.append("untargeted" if target is None else f"target: {target}")
    return ", ".join(parts)


def measurements_caption(report: AttackReport) -> str:
    """The distances of the adversarial image: ``measured L∞ 4/255, L2 1.53, SSIM 0.981``."""
    return f"measured L∞ {levels(report.linf)}, L2 {report.l2:.3g}, SSIM {report.ssim:.3f}"


def outcome_caption(report: AttackReport) -> str:
    """``✗ fooled``. An image that was misclassified before the attack also gets its label."""
    mark = OUTCOME_MARKS[report.outcome]
    label = f" (label: {report.names[report.label]})" if report.outcome == "misclassified" else ""
    return f"{mark.icon} {mark.word}{label}"


def unchecked_rounding(report: AttackedImage) -> str | None:
    """Why rounding to 8 bits can't undo the attack, as ``nothing to check, since …``; None if it
    can.
    """
    if report.outcome == "misclassified":
        return "nothing to check, since the original was misclassified before the attack"
    if not report.success:
        return "nothing to check, since the attack did not succeed"
    return None
