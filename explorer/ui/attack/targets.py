"""Choosing the class an attack aims at: by name, or from classes that mean something."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import streamlit as st
import torch
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
from explorer.figures.captions import percent
from explorer.images.geometry import Crop, view
from explorer.ui.components.markdown import plain
from explorer.ui.shared.picture import Picture

MOST = 4  # suggestions of a kind


@dataclass(frozen=True)
class _View:
    """What the classifier sees; hashed by what tells it apart."""

    model: str
    weights: str
    picture: str
    crop: Crop
    classifier: Classifier = field(compare=False)
    image: Picture = field(compare=False)


@lru_cache(maxsize=64)
def _probabilities(asked: _View) -> Tensor:
    model = asked.classifier
    return predict(model, view(asked.image.image, model, asked.crop)[None])[0].probabilities


def suggest(model: Classifier, picture: Picture, recipe: Recipe, options: list[str]) -> None:
    """Buttons that set the target, each kind with a word on what it is. ``options`` are the names the picker shows."""
    with st.popover("Suggest a target", width="stretch"):
        seen = _View(model.name, model.digest, picture.digest, recipe.crop, model, picture)
        probabilities = _probabilities(seen)
        label = int(probabilities.argmax()) if recipe.label is None else recipe.label
        name = plain(model.labels[label])
        lot = int(st.session_state.get("lot", 0))
        kinds = (
            (
                f"Most confusing: what it finds most probable besides “{name}”",
                most_confusing(probabilities, label, MOST),
            ),
            (
                f"Nearest: the classes whose last-layer weights point most nearly the way of “{name}”",
                nearest(model, label, MOST),
            ),
            ("Least likely: the hardest to reach", least_likely(probabilities, label, MOST)),
            ("Random", random_classes(len(options), label, lot, MOST)),
        )
        for words, indices in kinds:
            _kind(words, indices, probabilities, options)
        st.button("Draw again", icon=":material/casino:", key="draw", on_click=_draw_again)
        if st.session_state.get("target") is not None:
            st.button("No target: any other class", key="no target", on_click=_aim, args=(None,))


def _kind(words: str, indices: list[int], probabilities: Tensor, options: list[str]) -> None:
    if not indices:
        return
    st.caption(words)
    with st.container(horizontal=True, gap="small"):
        for index in indices:
            st.button(
                options[index],
                key=f"aim {words.partition(':')[0]} {index}",
                on_click=_aim,
                args=(options[index],),
                help=f"{percent(float(probabilities[index]))} before any attack",
            )


def _aim(name: str | None) -> None:
    st.session_state["target"] = name


def _draw_again() -> None:
    st.session_state["lot"] = int(torch.randint(2**31 - 1, ()))
