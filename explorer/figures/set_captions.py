"""The words of figures about many images: the attack, the axis of ε, what was counted."""

from __future__ import annotations

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.image_set import GALLERY
from explorer.experiments.sweep.recipe import SMALLEST, TRANSFER, SetRecipe
from explorer.figures.captions import NORM_NAMES, count_of

LEVELS = 255  # L∞ is drawn in levels of 8 bits


def attack_line(recipe: SetRecipe, images: int) -> str:
    """``20 sample pictures, L2, PGD, 20 steps, seed 0``: what a figure shows.

    The number of restarts is named unless it is 1.
    """
    attack = recipe.attack
    parts = [images_of(images, recipe.data), NORM_NAMES[attack.norm]]
    if recipe.question == TRANSFER:
        parts[-1] += f" ε = {format_epsilon(recipe.epsilons[0], attack.norm)}"
    search = "bisection with " if recipe.question == SMALLEST else ""
    parts.append(f"{search}PGD, {count_of(attack.steps, 'step')}")
    if attack.restarts > 1:
        parts.append(count_of(attack.restarts, "restart"))
    return ", ".join([*parts, f"seed {attack.seed}"])


def images_of(count: int, data: str | None, noun: str = "image") -> str:
    """``20 sample pictures``, ``1,000 images of cifar10:train``, or of no source ``3 images``."""
    if data == GALLERY:
        return count_of(count, "sample picture")
    return count_of(count, noun) + (f" of {data}" if data else "")


def axis_value(epsilon: float, norm: str) -> float:
    """Where ε stands on an axis: in 8-bit levels for L∞."""
    return epsilon * LEVELS if norm == "linf" else epsilon


def axis_title(norm: str) -> str:
    """The title of an axis of ε."""
    if norm == "linf":
        return "ε: largest change per value (L∞), of 255"
    return "ε: length of the change (L2)"


def short_epsilon(epsilon: float, norm: str) -> str:
    """ε to three digits: ``1.79/255`` or ``0.285``."""
    return f"{epsilon * 255:.3g}/255" if norm == "linf" else f"{epsilon:.3g}"
