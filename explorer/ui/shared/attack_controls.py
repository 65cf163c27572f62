"""The attack page's controls, as other pages and links know them: by the keys of their widgets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from explorer.attacks.settings import PLAIN
from explorer.experiments.effort import QUICK_STEPS, RULE
from explorer.experiments.one_image.recipe import Recipe
from explorer.ui.shared.address import open_page

BY_STEPS = "Steps"  # the effort of those who choose a number of steps
OLD_RULES = {"2.5 ε/t": PLAIN}  # what links of earlier versions call a rule

# The keys of the widgets whose values are in the page's address and restore the page.
LINKED = (
    *("model", "source", "image", "crop_x", "crop_y", "zoom"),
    *("norm", "linf", "l2", "method", "effort", "steps", "rule", "target", "label"),
    *("loss", "step_linf", "step_l2", "random", "restarts", "seed"),
    "full_resolution",
)


def step_values(recipe: Recipe) -> dict[str, str]:
    """The controls for the steps of a ``recipe`` that is not thorough."""
    return {"effort": BY_STEPS, "steps": str(recipe.steps), "rule": recipe.rule}


def is_quick(recipe: Recipe) -> bool:
    """Whether ``recipe`` has the steps with which the controls begin."""
    return (recipe.steps, recipe.rule, recipe.step_size) == (QUICK_STEPS, RULE, None)


def open_attack_page(values: Mapping[str, str]) -> NoReturn:
    """Go to the attack page, whose controls begin with the samples and these values.

    All others begin with their defaults.
    """
    open_page("attack", {**dict.fromkeys(LINKED), **values}, {"source": "gallery"})
