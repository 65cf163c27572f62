"""The sidebar of the section on patches; all of it is in the page's address."""

from __future__ import annotations

import math
from dataclasses import dataclass

import streamlit as st
import torch

from explorer.classifiers import Classifier
from explorer.errors import UserError
from explorer.experiments.bundled_patch import BundledPatch, bundled_patches
from explorer.experiments.patch import PatchAttack
from explorer.experiments.patch_recipe import PatchRecipe
from explorer.experiments.placement import Placements
from explorer.ui.lab.judged_classifiers import choose_attacked, choose_judges
from explorer.ui.lab.keys import PAGE
from explorer.ui.shared.attack_widgets import BIND, choose_seed, class_index, class_options
from explorer.ui.shared.classifiers import entries, load_for_page
from explorer.ui.shared.image_picker import choose_picture
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_widgets import linked_slider
from explorer.ui.shared.picture import Picture

KEYS = f"{PAGE}patch_"
# The keys of the widgets whose values are in the page's address.
LINKED = tuple(
    f"{KEYS}{key}"
    for key in (
        *("which", "model", "judges", "target", "area", "steps", "seed"),
        *("source", "image", "x", "y", "angle", "shown"),
    )
)
_NEW = "A new one"
_FIRST = "tiny12-standard"  # a patch for it is fitted in seconds
MAX_STEPS = 400
_SHOWN_PERCENT = 8.0  # of the picture


@dataclass(frozen=True, eq=False)
class PatchRequest:
    """A patch, by its recipe or ``bundled``, and where it is stuck on ``picture``."""

    recipe: PatchRecipe
    bundled: BundledPatch | None
    picture: Picture
    place: tuple[float, float, float, float]

    @property
    def placements(self) -> Placements:
        """The place for one picture: side, angle in radians, x and y."""
        return Placements(*(torch.tensor([value]) for value in self.place))


def choose_patch() -> PatchRequest:
    """All choices. Raises :class:`~explorer.errors.UserError` for those that can't be used."""
    bundled = {
        f"Bundled: {each.recipe.target}": each
        for each in bundled_patches()
        if each.recipe.models[0] in entries()
    }
    patches = [*bundled, _NEW]
    allow(f"{KEYS}which", patches)
    which = str(
        st.selectbox(
            "Patch",
            patches,
            key=f"{KEYS}which",
            bind=BIND,
            help="The bundled patch was computed beforehand, by the command below. A new one is "
            "computed here.",
        )
    )
    chosen = bundled.get(which)
    if chosen is None:
        recipe = _choose_recipe()
    else:
        attacked = chosen.recipe.models[0]
        recipe = chosen.judged_by((attacked, *choose_judges(f"{KEYS}judges", attacked)))
    model = load_for_page(recipe.models[0])
    st.markdown("**Stick it on**")
    picture = choose_picture(model, KEYS)
    return PatchRequest(recipe, chosen, picture, _choose_place(recipe.attack))


def _choose_recipe() -> PatchRecipe:
    attacked = choose_attacked(f"{KEYS}model", _FIRST)
    model = load_for_page(attacked)
    target = _choose_target(model)
    judges = choose_judges(f"{KEYS}judges", attacked)
    with st.expander("More settings"):
        percents = linked_slider(
            "Area, in per cent of the picture", 1.0, 20.0, 5.0, 0.5, key=f"{KEYS}area"
        )
        steps = linked_slider("Steps", 5, MAX_STEPS, 100, key=f"{KEYS}steps")
        seed = choose_seed("The same seed draws the same pictures and places.", KEYS)
    attack = PatchAttack(target, area=percents / 100, steps=int(steps), seed=seed)
    return PatchRecipe((attacked, *judges), model.labels[target], attack)


def _choose_target(model: Classifier) -> int:
    options = class_options(model.labels)
    allow(f"{KEYS}target", options)
    option = st.selectbox(
        "Target",
        options,
        key=f"{KEYS}target",
        bind=BIND,
        help="What the classifier should say for every picture with the patch.",
    )
    index = class_index(options, option)
    if index is None:
        raise UserError("choose the class that the classifier should say for the patch")
    return index


def _choose_place(attack: PatchAttack) -> tuple[float, float, float, float]:
    x = linked_slider("From left to right", 0.0, 1.0, 0.1, 0.05, key=f"{KEYS}x")
    y = linked_slider("From top to bottom", 0.0, 1.0, 0.1, 0.05, key=f"{KEYS}y")
    angle = linked_slider("Turned, in degrees", -180, 180, 0, 5, key=f"{KEYS}angle")
    percents = linked_slider(
        "Size, in per cent of the picture",
        1.0,
        20.0,
        _SHOWN_PERCENT,
        0.5,
        key=f"{KEYS}shown",
        help="How much of this picture the patch covers. The shares below are measured at the size "
        f"that the patch was computed for, {100 * attack.area:g} %.",
    )
    return math.sqrt(percents / 100), math.radians(angle), float(x), float(y)
