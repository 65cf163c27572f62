"""Suggestions for the class that an attack aims at."""

from __future__ import annotations

import secrets
from functools import partial

import streamlit as st
from torch import Tensor

from explorer.classifiers import Classifier
from explorer.experiments.one_image.attack_image import predict
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.targets import (
    least_likely,
    most_confusing,
    nearest,
    random_classes,
)
from explorer.figures.captions import confidence_text
from explorer.images.geometry import Crop, preprocess
from explorer.ui.components.markdown import plain
from explorer.ui.shared.classifiers import identity
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.session_memory import once

COUNT = 4  # suggestions of a kind


def _probabilities(model: Classifier, picture: Picture, crop: Crop) -> Tensor:
    return predict(model, preprocess(picture.image, model, crop)[None])[0].probabilities


def target_suggestions(
    model: Classifier, picture: Picture, recipe: Recipe, options: list[str]
) -> None:
    """Buttons that set the target, by kind. ``options`` are the class names of the picker."""
    with st.popover("Suggest a target", width="stretch"):
        version = identity(model), picture.digest, recipe.crop
        compute = partial(_probabilities, model, picture, recipe.crop)
        probabilities = once("target probabilities", version, compute)
        label = int(probabilities.argmax()) if recipe.label is None else recipe.label
        name = plain(model.labels[label])
        draw = int(st.session_state.get("target draw", 0))
        likely = most_confusing(probabilities, label, COUNT)
        unlikely = least_likely(probabilities, label, COUNT)
        random = random_classes(len(options), label, draw, COUNT)
        for kind, explanation, indices in (
            ("Runners-up", f": most probable after “{name}”", likely),
            (
                "Nearest",
                ": classes with the most similar last-layer weights",
                nearest(model, label, COUNT),
            ),
            ("Least likely", ": the hardest to reach", unlikely),
            ("Random", "", random),
        ):
            if indices:
                st.caption(kind + explanation)
                _buttons(kind, indices, probabilities, options)
        st.button("Draw again", icon=":material/casino:", key="draw", on_click=_draw_again)
        if st.session_state.get("target") is not None:
            st.button(
                "No target: any other class", key="no target", on_click=_set_target, args=(None,)
            )


def _buttons(kind: str, indices: list[int], probabilities: Tensor, options: list[str]) -> None:
    with st.container(horizontal=True, gap="small"):
        for index in indices:
            st.button(
                plain(options[index]),
                key=f"target {kind} {index}",
                on_click=_set_target,
                args=(options[index],),
                help=f"{confidence_text(float(probabilities[index]))} before any attack",
            )


def _set_target(name: str | None) -> None:
    st.session_state["target"] = name


def _draw_again() -> None:
    st.session_state["target draw"] = secrets.randbelow(2**31 - 1)
