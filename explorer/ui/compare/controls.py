"""The sidebar of the comparison page: classifiers, picture and attack, all in its address."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from explorer.classifiers import Classifier
from explorer.experiments.compare import MAX_CLASSIFIERS, check_classifiers, recipes_for
from explorer.experiments.one_image.recipe import Recipe
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.attack_widgets import (
    BIND,
    choose_epsilon,
    choose_norm,
    choose_one,
    choose_precision,
    choose_restarts,
    choose_seed,
    choose_steps,
    class_index,
    class_options,
)
from explorer.ui.shared.classifier_choice import choose_classifiers, show_badges
from explorer.ui.shared.classifiers import default_pair, entries, load_for_page
from explorer.ui.shared.image_picker import choose_picture, known_label
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.picture import Picture

PAGE = "compare_"  # begins the keys of this page's widgets and values
MODELS = f"{PAGE}models"
# The keys of the widgets whose values are in the page's address and restore the page.
LINKED = tuple(
    f"{PAGE}{key}"
    for key in (
        *("models", "source", "image", "norm", "linf", "l2", "method", "steps", "target", "label"),
        *("restarts", "seed"),
    )
)
PRECISION = f"{PAGE}precision"  # the link names the one that was used
METHODS = ["PGD", "FGSM"]

_SEED_HELP = "The same seed gives the same random starts and the same noise."
_METHOD_HELP = (
    "PGD (projected gradient descent): many small steps that never leave the allowed change ε. "
    "FGSM (fast gradient sign method): one large step."
)


@dataclass(frozen=True)
class ComparisonRequest:
    """The attack that ``recipe`` describes for the first of the classifiers ``names``.

    ``recipes`` has it for each of them, by name.
    """

    picture: Picture
    recipe: Recipe
    recipes: Mapping[str, Recipe]

    @property
    def names(self) -> list[str]:
        """The names of the classifiers."""
        return list(self.recipes)

    @property
    def key(self) -> Hashable:
        """Equal for requests that have the same results if the weights are the same."""
        return tuple(self.attack(name).key for name in self.names)

    def attack(self, name: str) -> AttackRequest:
        """The attack on one of the classifiers."""
        return AttackRequest(self.picture, self.recipes[name])


def choose_comparison() -> ComparisonRequest:
    """All choices of the sidebar.

    Raises :class:`~explorer.errors.UserError` for fewer than two classifiers, for one that can't
    be loaded, and for a target that one of them lacks.
    """
    known = entries()
    names = choose_classifiers(MODELS, known, default_pair(known), MAX_CLASSIFIERS)
    show_badges(names, known)
    models = {name: load_for_page(name) for name in names or default_pair(known)[:1]}
    name, first = next(iter(models.items()))
    picture = choose_picture(first, PAGE)
    recipe = _choose_attack(picture, first, name)
    check_classifiers(names)  # not before, so that all controls are there
    return ComparisonRequest(picture, recipe, recipes_for(models, recipe))


def _choose_attack(picture: Picture, model: Classifier, name: str) -> Recipe:
    norm = choose_norm(PAGE)
    epsilon = choose_epsilon(norm, model.input_size, PAGE)
    method = choose_one("Method", METHODS, f"{PAGE}method", _METHOD_HELP)
    steps = 1 if method == "FGSM" else choose_steps(PAGE)
    options = class_options(model.labels)
    allow(f"{PAGE}target", options)
    target = st.selectbox(
        "Target",
        options,
        index=None,
        key=f"{PAGE}target",
        bind=BIND,
        placeholder="any other class",
        help="Leave it empty to get any wrong answer. All classifiers need a class of this name.",
    )
    known = known_label(picture, model)
    recipe = Recipe(picture.source, name, norm, epsilon, steps)
    with st.expander("More settings"):
        allow(f"{PAGE}label", options)
        label = st.selectbox(
            "Label",
            options,
            index=None,
            key=f"{PAGE}label",
            bind=BIND,
            placeholder="each classifier's prediction" if known is None else options[known],
            help="What the picture shows. If empty, it is the sample's own class or, for your own "
            "pictures, what each classifier says of it.",
        )
        restarts = 1 if method == "FGSM" else choose_restarts(PAGE)
        recipe = replace(recipe, restarts=restarts, seed=choose_seed(_SEED_HELP, PAGE))
        if method != "FGSM":
            recipe = replace(recipe, precision=choose_precision(PAGE))
    recipe = recipe.fgsm() if method == "FGSM" else recipe
    chosen = class_index(options, label)
    return recipe.with_classes(known if chosen is None else chosen, class_index(options, target))
