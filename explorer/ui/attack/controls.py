"""The controls of an attack: what a person chooses, as a recipe. Every value is in the page's address."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explorer.classifiers import Classifier, Entry
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.captions import percent
from explorer.ui.attack.crop import choose_crop
from explorer.ui.attack.targets import suggest
from explorer.ui.components.markdown import plain
from explorer.ui.shared.image_picker import pick
from explorer.ui.shared.panda import panda_values
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.words import badge

NORMS = {"L∞": "linf", "L2": "l2"}
BESIDE = "FGSM beside PGD"
METHODS = ["PGD", "FGSM", BESIDE]
LOSSES = {"cross-entropy": "ce", "margin (CW)": "cw", "DLR": "dlr"}
MOST_LINF = 32.0  # levels of 255
MOST_STEPS, MOST_RESTARTS, MOST_SEED = 200, 10, 2**31 - 1
BIND: Any = "query-params"


@dataclass(frozen=True)
class Preset:
    """Values for some controls, and where they come from."""

    name: str
    values: dict[str, Any]
    help: str


PRESETS = (
    Preset(
        "8/255",
        {"norm": "L∞", "linf": 8.0, "method": "PGD", "steps": 40},
        "L∞ within 8 of 255 levels, PGD with 40 steps.",
    ),
    Preset(
        "the panda's ε = 0.007",
        {"norm": "L∞", "linf": 1.785, "method": "FGSM"},
        "ε and method of figure 1 in Goodfellow et al. (2015): 0.007 · 255 = 1.785 levels, one step of FGSM.",
    ),
    Preset(
        "paper: L2 0.5",
        {"norm": "L2", "l2": 0.5, "method": "PGD", "steps": 100},
        "The radius of Ilyas et al. (2019) for 32 × 32 images, 100 steps.",
    ),
)


@dataclass(frozen=True)
class Choice:
    """The picture, the attack on it, and whether FGSM with the same ε is to stand beside it."""

    picture: Picture
    recipe: Recipe
    fgsm_beside: bool


def choose_classifier(entries: dict[str, Entry]) -> str:
    """The name of a classifier; a line under it says what it is."""
    name = st.selectbox("Classifier", list(entries), key="model", bind=BIND)
    entry = entries[name]
    accuracy = (
        f"; {percent(entry.accuracy)} right on clean test images"
        if entry.accuracy is not None
        else ""
    )
    st.markdown(f"{badge(entry)} :small[{plain(entry.data)}{accuracy}]")
    return name


def choose_attack(model: Classifier) -> Choice:
    """The picture and the attack on it."""
    picture = pick(model)
    crop = choose_crop(picture, model)
    explanation = "L∞: no value may change by more than ε. L2: ε is the length of the whole change."
    norm = NORMS[_one_of("Distance", list(NORMS), "norm", explanation)]
    epsilon = _epsilon(norm, model)
    with st.container(horizontal=True, key="presets"):
        for preset in (*PRESETS, *_panda()):
            st.button(
                preset.name,
                help=preset.help,
                on_click=_apply,
                args=(preset,),
                key=f"preset {preset.name}",
            )
    explanation = "PGD: many small steps, each projected back into the ball. FGSM: one full step. Or one above the other."
    method = _one_of("Method", METHODS, "method", explanation)
    steps = 1
    if method != "FGSM":
        steps = st.slider("Steps", 1, MOST_STEPS, 40, key="steps", bind=BIND)
    options = class_options(model.labels)
    target = st.selectbox(
        "Target",
        options,
        index=None,
        key="target",
        bind=BIND,
        placeholder="any other class",
        help="Leave it empty to get any wrong answer. Type to search.",
    )
    recipe = Recipe(picture.source, model.name, norm, epsilon, steps, crop=crop)
    suggest(
        model,
        picture,
        recipe.with_classes(_index(options, st.session_state.get("label")), None),
        options,
    )
    with st.expander("More settings"):
        recipe = _details(model, method, recipe, options)
    return Choice(
        picture, recipe.with_classes(recipe.label, _index(options, target)), method == BESIDE
    )


def class_options(labels: tuple[str, ...]) -> list[str]:
    """The class names, each once: ImageNet has two cranes, which get their index in addition."""
    counts = Counter(labels)
    return [
        label if counts[label] == 1 else f"{label} ({index})" for index, label in enumerate(labels)
    ]


def l2_range(size: tuple[int, int]) -> tuple[float, float, float]:
    """(default, most, step) of an L2 radius that suits images of this size.

    A change of the same size per pixel is longer in a larger image: the paper's 0.5 at 32 × 32 is scaled by the side.
    """
    scale = math.sqrt(size[0] * size[1]) / 32
    return round(0.5 * scale, 1), float(math.ceil(4 * scale)), 0.05


def _epsilon(norm: str, model: Classifier) -> float:
    if norm == "linf":
        levels = st.slider(
            "ε, in levels of 255",
            0.0,
            MOST_LINF,
            4.0,
            step=0.25,
            format="%g/255",
            key="linf",
            bind=BIND,
            help="The most by which any value of any pixel may change, out of 255.",
        )
        return float(levels) / 255
    default, most, step = l2_range(model.input_size)
    help_ = "The Euclidean length of the change over all values, in pixels of [0, 1]."
    return float(
        st.slider(
            "ε, in L2",
            0.0,
            most,
            default,
            step=step,
            format="%.2f",
            key="l2",
            bind=BIND,
            help=help_,
        )
    )


def _details(model: Classifier, method: str, recipe: Recipe, options: list[str]) -> Recipe:
    """The choices few people change."""
    label = st.selectbox(
        "Label",
        options,
        index=None,
        key="label",
        bind=BIND,
        placeholder="its own prediction",
        help="What the picture really shows. Left empty, the classifier's own prediction counts as right.",
    )
    chosen = recipe.with_classes(_index(options, label), None)
    loss = LOSSES[
        str(
            st.selectbox("Loss", list(LOSSES), key="loss", bind=BIND, help="What each step climbs.")
        )
    ]
    if method == "FGSM":
        return replace(chosen, loss=loss).fgsm()
    step_size = _step_size(recipe.norm)
    random_start = st.toggle(
        "Random start", True, key="random", bind=BIND, help="Begin at a random point of the ball."
    )
    restarts = 1
    if random_start:
        restarts = st.number_input(
            "Restarts",
            1,
            MOST_RESTARTS,
            1,
            key="restarts",
            bind=BIND,
            help="The best of so many starts counts.",
        )
    seed = st.number_input(
        "Seed", 0, MOST_SEED, 0, key="seed", bind=BIND, help="The same seed gives the same starts."
    )
    return replace(
        chosen,
        loss=loss,
        step_size=step_size,
        random_start=bool(random_start),
        restarts=int(restarts),
        seed=int(seed),
    )


def _step_size(norm: str) -> float | None:
    levels = norm == "linf"
    value = st.number_input(
        "Step size, in levels of 255" if levels else "Step size, in L2",
        min_value=0.0,
        max_value=255.0,
        value=None,
        step=0.25 if levels else 0.05,
        format="%g",
        key="step_linf" if levels else "step_l2",
        bind=BIND,
        placeholder="2.5 ε/t",
        help="Left empty, step t is 2.5 ε/t long, and at most ε.",
    )
    return None if value is None else float(value) / (255 if levels else 1)


def _one_of(label: str, options: list[str], key: str, help_: str) -> str:
    return str(
        st.segmented_control(
            label, options, default=options[0], required=True, key=key, bind=BIND, help=help_
        )
    )


def _index(options: list[str], chosen: str | None) -> int | None:
    return options.index(chosen) if chosen in options else None


def _panda() -> tuple[Preset, ...]:
    """The famous picture again, where a classifier that knows pandas is on this machine."""
    values = panda_values()
    if values is None:
        return ()
    words = "Figure 1 of Goodfellow et al. (2015) again: a giant panda, target gibbon, ε = 0.007, FGSM's one step beside PGD."
    return (Preset("panda → gibbon", {**values, "method": BESIDE}, words),)


def _apply(preset: Preset) -> None:
    st.session_state.update(preset.values)
