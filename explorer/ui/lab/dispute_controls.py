"""The sidebar of the dispute's section; all of it is in the page's address."""

from __future__ import annotations

import streamlit as st

from explorer.errors import UserError
from explorer.experiments.dispute import DisputeAttack
from explorer.experiments.dispute_recipe import DisputeRecipe
from explorer.experiments.sweep.image_set import GALLERY
from explorer.ui.lab.judged_classifiers import choose_attacked, choose_judges, others_of
from explorer.ui.lab.keys import NO_DATA, PAGE
from explorer.ui.shared.address import remember_lost
from explorer.ui.shared.attack_widgets import BIND, choose_epsilon, choose_norm, choose_one
from explorer.ui.shared.classifiers import entries, load_for_page
from explorer.ui.shared.linked_choices import linked_multiselect, titles_of
from explorer.ui.shared.linked_widgets import linked_number, linked_slider
from explorer.ui.shared.mode import is_public

KEYS = f"{PAGE}dispute_"
# The keys of the widgets whose values are in the page's address.
LINKED = tuple(
    f"{KEYS}{key}"
    for key in (
        *("model", "ensemble", "judges", "norm", "linf", "l2", "images", "data", "limit"),
        *("steps", "picture"),
    )
)
_FIRST, _ENSEMBLE = "cifar10-standard", ("cifar10-d", "cifar10-d-plain")
_SAMPLES, _DATA = "Sample pictures", "A data set"
MAX_STEPS, MAX_IMAGES, MAX_ENSEMBLE = 100, 1000, 4


def choose_dispute() -> DisputeRecipe:
    """All choices. Raises :class:`~explorer.errors.UserError` for those that can't be used."""
    attacked = choose_attacked(f"{KEYS}model", _FIRST)
    model = load_for_page(attacked)
    ensemble = _choose_ensemble(attacked)
    judges = choose_judges(f"{KEYS}judges", attacked, without=tuple(ensemble))
    st.session_state.setdefault(f"{KEYS}norm", "L2")
    norm = choose_norm(KEYS)
    epsilon = choose_epsilon(norm, model.input_size, KEYS)
    data, limit = _choose_data()
    with st.expander("More settings"):
        steps = linked_slider("Steps", 5, MAX_STEPS, 20, key=f"{KEYS}steps")
    if not ensemble:  # not before, so that all controls are there
        raise UserError("choose one classifier or more for the ensemble")
    if not data:
        raise UserError(NO_DATA)
    attack = DisputeAttack(norm, epsilon, steps=int(steps))
    return DisputeRecipe((attacked, *ensemble, *judges), tuple(ensemble), attack, data, limit)


def _choose_ensemble(attacked: str) -> list[str]:
    others = others_of(attacked)
    if not others:
        raise UserError(
            f"no other classifier here takes the pictures of {attacked}, and the second attack "
            "needs one; choose another classifier"
        )
    key = f"{KEYS}ensemble"
    remember_lost(key, entries())
    usual = [name for name in _ENSEMBLE if name in others]
    return linked_multiselect(
        "Ensemble: the second attack must not fool these",
        titles_of(others, entries()),
        usual or others[:2],
        key=key,
        most=MAX_ENSEMBLE,
        help="The second attack tries to fool the attacked classifier and to leave these right. "
        "What counts is whether it fools the others below, which it has never seen.",
    )


def _choose_data() -> tuple[str, int | None]:
    kinds = [_SAMPLES] if is_public() else [_SAMPLES, _DATA]
    help_ = "Of these, the attack takes those that the attacked classifier gets right."
    kind = choose_one("Images", kinds, f"{KEYS}images", help_)
    if kind == _SAMPLES:
        return GALLERY, None
    data = st.text_input(
        "Data set", key=f"{KEYS}data", bind=BIND, placeholder="a folder, a Parquet file, cifar10"
    ).strip()
    limit = linked_number("Only the first", 1, MAX_IMAGES, 100, key=f"{KEYS}limit")
    return data, int(limit)
