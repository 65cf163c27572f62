"""The settings of an attack that few people change."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.loss_words import LOSS_WORDS
from explorer.ui.shared.attack_widgets import (
    BIND,
    choose_precision,
    choose_restarts,
    choose_seed,
    class_index,
)
from explorer.ui.shared.link_words import allow, allow_range

LOSSES = {words.choice: loss for loss, words in LOSS_WORDS.items()}
_NAMES = {  # that an address may give the losses: the commands' and those in sentences
    name: words.choice for loss, words in LOSS_WORDS.items() for name in (loss, words.name)
}


def more_settings(method: str, recipe: Recipe, options: list[str]) -> Recipe:
    """``recipe`` with the label, loss, step size, start and seed that the person chooses."""
    allow("label", options)
    label = st.selectbox(
        "Label",
        options,
        index=None,
        key="label",
        bind=BIND,
        placeholder="the classifier's prediction",
        help="What the picture shows. If empty, the classifier's own prediction counts as right.",
    )
    recipe = recipe.with_classes(class_index(options, label), None)
    loss_help = (
        "The score each step raises. Cross-entropy: how unlikely the label looks. Margin (CW): the "
        "lead of the best wrong class. DLR: that margin, rescaled."
    )
    allow("loss", LOSSES, _NAMES)
    loss = st.selectbox("Loss", list(LOSSES), key="loss", bind=BIND, help=loss_help)
    recipe = replace(recipe, loss=LOSSES[str(loss)])
    if method == "FGSM":
        return recipe.fgsm()
    step_size = _step_size(recipe.norm)
    allow("random", ("true", "false"))
    random_start = st.toggle(
        "Random start", True, key="random", bind=BIND, help="Start from a random change within ε."
    )
    restarts = choose_restarts() if random_start else 1
    seed = choose_seed("The same seed gives the same starts.")
    precision = choose_precision()
    return replace(
        recipe,
        step_size=step_size,
        random_start=bool(random_start),
        restarts=restarts,
        seed=seed,
        precision=precision,
    )


def _step_size(norm: str) -> float | None:
    in_levels = norm == "linf"
    key = "step_linf" if in_levels else "step_l2"
    least, largest = 0.01 if in_levels else 0.001, 255.0  # a step of 0 goes nowhere
    allow_range(key, least, largest)
    step_size = st.number_input(
        "Step size (of 255)" if in_levels else "Step size (L2)",
        min_value=least,
        max_value=largest,
        value=None,
        step=0.25 if in_levels else 0.05,
        format="%g",
        key=key,
        bind=BIND,
        placeholder="2.5 ε/t",
        help="If empty, the step rule decides: step number t is 2.5 ε/t long, and at most ε, or at "
        "most 2 ε with momentum.",
    )
    return None if step_size is None else float(step_size) / (255 if in_levels else 1)
