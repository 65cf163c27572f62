"""The sidebar of the section on universal perturbations; all of it is in the page's address."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from explorer.errors import UserError
from explorer.experiments.fitting_images import BUNDLED, ImageSource
from explorer.experiments.sweep.image_set import GALLERY
from explorer.experiments.universal import UniversalAttack
from explorer.ui.lab.judged_classifiers import choose_attacked, choose_judges
from explorer.ui.lab.keys import NO_DATA, PAGE
from explorer.ui.shared.attack_widgets import (
    BIND,
    choose_epsilon,
    choose_norm,
    choose_one,
    choose_seed,
)
from explorer.ui.shared.classifiers import load_for_page
from explorer.ui.shared.linked_widgets import linked_number, linked_slider
from explorer.ui.shared.mode import is_public

KEYS = f"{PAGE}uni_"
# The keys of the widgets whose values are in the page's address.
LINKED = tuple(
    f"{KEYS}{key}"
    for key in (
        *("model", "judges", "norm", "linf", "l2", "images", "data", "fit", "limit"),
        *("steps", "batch", "seed"),
    )
)
_BUNDLED_IMAGES, _SAMPLES, _DATA = "Bundled images", "Sample pictures", "A data set"
_FIRST = "cifar10-standard"
MAX_STEPS, MAX_BATCH, MAX_IMAGES = 200, 200, 2000


class UniversalRequest(NamedTuple):
    """What the section is asked; the first of the ``names`` is attacked."""

    names: tuple[str, ...]
    attack: UniversalAttack
    source: ImageSource


def choose_universal() -> UniversalRequest:
    """All choices. Raises :class:`~explorer.errors.UserError` for those that can't be used."""
    attacked = choose_attacked(f"{KEYS}model", _FIRST)
    model = load_for_page(attacked)
    norm = choose_norm(KEYS)
    if f"{KEYS}linf" not in st.session_state and f"{KEYS}linf" not in st.query_params:
        st.session_state[f"{KEYS}linf"] = 8.0
    epsilon = choose_epsilon(norm, model.input_size, KEYS)
    source = _choose_source(model.gallery)
    judges = choose_judges(f"{KEYS}judges", attacked)
    with st.expander("More settings"):
        steps = linked_slider("Steps", 5, MAX_STEPS, 40, key=f"{KEYS}steps")
        batch = linked_slider("Images per step", 5, MAX_BATCH, 50, key=f"{KEYS}batch")
        seed = choose_seed("The same seed draws the same images in the same order.", KEYS)
    if not source.data:  # not before, so that all controls are there
        raise UserError(NO_DATA)
    attack = UniversalAttack(norm, epsilon, steps=int(steps), batch=int(batch), seed=seed)
    return UniversalRequest((attacked, *judges), attack, source)


def _choose_source(gallery: str) -> ImageSource:
    kinds = [_BUNDLED_IMAGES] if gallery == "cifar10" else []
    kinds += [_SAMPLES] if is_public() else [_SAMPLES, _DATA]
    kind = choose_one(
        "Images it is computed for",
        kinds,
        f"{KEYS}images",
        "Bundled images: 250 of the set D_NR, built from noise; the change is then tested on the "
        "sample pictures. Otherwise one part of the pictures is used to compute the change, and "
        "the rest to test it.",
    )
    if kind == _BUNDLED_IMAGES:
        return ImageSource(BUNDLED)
    if kind == _SAMPLES:
        return ImageSource(GALLERY)
    data = st.text_input(
        "Data set",
        key=f"{KEYS}data",
        bind=BIND,
        placeholder="a folder, a Parquet file, cifar10:train",
    ).strip()
    fit = linked_number("Compute it for the first", 1, MAX_IMAGES, 1000, key=f"{KEYS}fit")
    limit = linked_number("Test it on at most", 1, MAX_IMAGES, 1000, key=f"{KEYS}limit")
    return ImageSource(data, fit=int(fit), limit=int(limit))
