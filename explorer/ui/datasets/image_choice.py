"""The sidebar's choice of two pictures: the source of the row and the start of matching."""

from __future__ import annotations

from dataclasses import dataclass, replace

import streamlit as st

from explorer.classifiers import Classifier
from explorer.experiments.ilyas2019.five_sets import other_start_index
from explorer.images.gallery import Sample, samples
from explorer.images.open import GALLERY_PREFIX
from explorer.settings import MAX_SEED
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.datasets.loaded_set import ROW_SET, SOURCE_SET, asked_set, source_set
from explorer.ui.datasets.pair import ClassifierPair
from explorer.ui.shared.image_picker import (
    default_sample,
    from_gallery,
    gallery_picture,
    known_label,
)
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_widgets import linked_number
from explorer.ui.shared.own_picture import note_linked_source, note_shown, own_picture
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.stored_value import write_value

GALLERY, UPLOAD, SET = "gallery", "upload", "set"
RANDOM, CHOSEN, NOISE = "random", "chosen", "noise"
PAGE = "row_"  # begins the keys of the picture, which the attack page has too
FIRST_SEED = 4  # draws clearly different pictures and labels for the first sample


@dataclass(frozen=True)
class SourceChoice:
    """A picture, its place in its data (−1 for an upload), the label it carries and the class that
    a person sees in it; None where these are unknown. ``set_name`` is the constructed set that it
    is an image of, empty if it is none or that is unknown.
    """

    picture: Picture
    index: int
    label: int | None
    perceived_label: int | None
    set_name: str = ""


@dataclass(frozen=True)
class StartChoice:
    """Where D_R and D_NR start. ``picture`` and its place in the gallery are None for noise."""

    picture: Picture | None
    index: int | None
    seed: int


def choose_source(model: Classifier, pair: ClassifierPair) -> SourceChoice:
    """Let the visitor choose the picture. Without a usable choice it is the first sample."""
    note_linked_source("origin", PAGE)
    allow("origin", [GALLERY, UPLOAD, SET])
    origin = st.segmented_control(
        "Picture",
        [GALLERY, UPLOAD, SET],
        default=GALLERY,
        required=True,
        key="origin",
        bind="query-params",
        help="A sample picture, one of your own, or an image of the set that is open at the end of "
        "the page.",
    )
    if origin == GALLERY:
        choice: SourceChoice | None = _from_gallery(from_gallery(model, PAGE), model)
    else:
        choice = _from_set(model, pair) if origin == SET else _from_upload(model)
    if origin != SET:
        st.session_state.pop(ROW_SET, None)
        write_value(ROW_SET, None)
    shown = choice or _from_gallery(gallery_picture(default_sample(model), model.gallery), model)
    if choice is None and origin == SET:
        st.caption(f"Until then the page shows “{plain(shown.picture.title)}” of the gallery.")
    note_shown(str(origin), None if choice is None else choice.picture, shown.picture, PAGE)
    return shown


def _from_gallery(picture: Picture, model: Classifier) -> SourceChoice:
    index = [sample.title for sample in samples(model.gallery)].index(picture.title)
    label = known_label(picture, model)
    return SourceChoice(picture, index, label, label)


def _from_upload(model: Classifier) -> SourceChoice | None:
    picture = own_picture(UPLOAD, PAGE)
    if picture is None:
        return None
    allow("shows", model.labels)
    name = st.selectbox(
        "It shows",
        model.labels,
        index=None,
        key="shows",
        bind="query-params",
        placeholder="the robust classifier's prediction",
        help="The class a person sees. If you leave it empty, the prediction of the robust "
        "classifier is the label.",
    )
    label = None if name is None else model.labels.index(name)
    return SourceChoice(picture, -1, label, label)


def _from_set(model: Classifier, pair: ClassifierPair) -> SourceChoice | None:
    if (choice := asked_set()) is not None:
        wait_for_imports("charts")  # which read sets, too
        from explorer.ui.datasets.set_loading import load_named

        loaded = st.session_state[SOURCE_SET] = load_named(choice, pair, "source set")
        if loaded is None:
            return None
    loaded = source_set()
    if loaded is None:
        st.warning("No set is open; choose one under “Browse a set”.")
        return None
    st.session_state[ROW_SET] = loaded.choice
    write_value(ROW_SET, loaded.choice)
    if mismatch := loaded.mismatch(model):
        st.warning(sentence(mismatch))
        return None
    last = len(loaded.set) - 1
    index = linked_number(f"Image, 0 to {last:,}", 0, last, 0, key="set_index")
    st.caption(
        f"Of {plain(loaded.title)}. Or click a tile under “Browse a set” at the end of the page."
    )
    return SourceChoice(
        loaded.picture(index, model),
        loaded.source_index(index),
        loaded.label(index),
        loaded.perceived_label(index),
        loaded.set.name,
    )


def choose_start(model: Classifier, source: SourceChoice) -> StartChoice:
    """Let the visitor choose the start and the seed.

    Raises :class:`~explorer.errors.UserError` if the gallery has no other picture to start from.
    """
    allow("begin", [RANDOM, CHOSEN, NOISE])
    kind = st.segmented_control(
        "D_R and D_NR start from",
        [RANDOM, CHOSEN, NOISE],
        default=RANDOM,
        required=True,
        key="begin",
        bind="query-params",
        help="A picture drawn by the seed, one that you choose, or noise. The paper draws from all "
        "training images.",
    )
    gallery = samples(model.gallery)
    index: int | None = None
    if kind == CHOSEN:
        titles = [sample.title for sample in gallery]
        allow("begin_image", titles)
        title = st.selectbox(
            "Start picture",
            titles,
            index=len(titles) - 1,
            key="begin_image",
            bind="query-params",
        )
        index = titles.index(title)
    seed = int(
        linked_number(
            "Seed",
            0,
            MAX_SEED,
            FIRST_SEED,
            key="row_seed",
            help="Draws the start, the noise and D_rand's label.",
        )
    )
    if kind == RANDOM:
        index = _draw(gallery, source, seed)
        st.caption(f"The seed draws “{plain(gallery[index].title)}”.")
    if index is None:
        st.caption("From noise the paper takes 10,000 steps: take more steps than at the start.")
        return StartChoice(None, None, seed)
    picture = gallery_picture(gallery[index], model.gallery)
    return StartChoice(replace(picture, label=known_label(picture, model)), index, seed)


def _draw(gallery: tuple[Sample, ...], source: SourceChoice, seed: int) -> int:
    """The place of the sample that the seed draws; never the source itself."""
    in_gallery = source.picture.source.startswith(GALLERY_PREFIX)
    return other_start_index(seed, source.index, len(gallery), source.index if in_gallery else None)
