"""The controls of an attack, which make a recipe. Every value is in the page's address."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.attacks.settings import PLAIN
from explorer.classifiers import Classifier, ClassifierError, Entry
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.captions import percent
from explorer.ui.attack.crop import choose_crop
from explorer.ui.attack.effort import EffortChoice, choose_effort
from explorer.ui.attack.more_settings import more_settings
from explorer.ui.attack.presets import FGSM_BESIDE, preset_buttons
from explorer.ui.attack.targets import target_suggestions
from explorer.ui.components.markdown import plain
from explorer.ui.shared.address import remember_lost
from explorer.ui.shared.attack_widgets import (
    BIND,
    choose_epsilon,
    choose_norm,
    choose_one,
    class_index,
    class_options,
)
from explorer.ui.shared.classifiers import NO_CLASSIFIER
from explorer.ui.shared.image_picker import choose_picture
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_choices import linked_select, titles_of
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.words import badge

METHODS = ["PGD", "FGSM", FGSM_BESIDE]
_METHOD_HELP = (
    "FGSM (fast gradient sign method): one large step. PGD (projected gradient descent): many "
    "small steps that never leave the allowed change ε. Or both, one above the other."
)


@dataclass(frozen=True)
class AttackChoice:
    """The picture, the attack on it, and whether FGSM with the same ε is shown beside it."""

    picture: Picture
    recipe: Recipe
    fgsm_beside: bool


def choose_classifier(entries: dict[str, Entry]) -> str:
    """The name of a classifier, with a line on its training.

    Raises :class:`~explorer.classifiers.ClassifierError` if there is none.
    """
    if not entries:
        raise ClassifierError(NO_CLASSIFIER)
    remember_lost("model", entries)
    titles = titles_of(list(entries), entries)
    name = linked_select("Classifier", titles, next(iter(entries)), key="model")
    entry = entries[name]
    accuracy = ""
    if entry.accuracy is not None:
        accuracy = f"; {percent(entry.accuracy)} right on unchanged test images"
    st.markdown(f"{badge(entry)} :small[{plain(entry.data)}{accuracy}]")
    return name


def choose_attack(model: Classifier) -> AttackChoice:
    """The picture and the attack on it."""
    picture = choose_picture(model)
    crop = choose_crop(picture, model)
    norm = choose_norm()
    epsilon = choose_epsilon(norm, model.input_size)
    preset_buttons()
    method = choose_one("Method", METHODS, "method", _METHOD_HELP)
    chosen = EffortChoice("", 1, PLAIN)
    if method != "FGSM":
        chosen = choose_effort()
    options = class_options(model.labels)
    allow("target", options)
    target = st.selectbox(
        "Target",
        options,
        index=None,
        key="target",
        bind=BIND,
        placeholder="any other class",
        help="Leave it empty to get any wrong answer. Type to search.",
    )
    recipe = Recipe(picture.source, model.name, norm, epsilon, crop=crop, **vars(chosen))
    label = class_index(options, st.session_state.get("label"))
    target_suggestions(model, picture, recipe.with_classes(label, None), options)
    with st.expander("More settings"):
        recipe = more_settings(method, recipe, options)
    recipe = recipe.with_classes(recipe.label, class_index(options, target))
    return AttackChoice(picture, recipe, method == FGSM_BESIDE)
