"""The sidebar of the data page: which classifiers, which picture, where matching starts, how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.classifiers import Classifier, ClassifierError
from explorer.experiments.ilyas2019.five_sets import drawn_start
from explorer.experiments.ilyas2019.five_sets_result import FiveSetsSettings
from explorer.images.decode import ImageError
from explorer.images.gallery import Sample, samples
from explorer.images.open import GALLERY_PREFIX
from explorer.ui.components.markdown import plain
from explorer.ui.datasets.loaded_set import SOURCE_SET, source_set
from explorer.ui.datasets.request import ClassifierPair, FiveSetsRequest, others, pairs
from explorer.ui.shared.classifiers import classifier, entries
from explorer.ui.shared.image_picker import (
    default_sample,
    from_gallery,
    from_upload,
    gallery_picture,
)
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.words import badge

BIND: Any = "query-params"
GALLERY, UPLOAD, SET = "gallery", "upload", "set"
BY_SEED, CHOSEN, NOISE = "random", "chosen", "noise"
FIRST_SEED = 4  # one that draws clearly different pictures and labels for the first sample
# The paper's for images of 32 × 32 (table and section in explorer/datasets/constructions.py).
MOST_MATCH_STEPS, MOST_ATTACK_STEPS = 1000, 100
STEP_SIZE, EPSILON = 0.1, 0.5
PAIR_HELP = "D_R is made with the robust one, the other sets with the standard one; both are asked about every image."
# What is in the session's state that says which row is on the page.
KEYS = (
    "pair",
    "others",
    "origin",
    "image",
    "uploaded",
    SOURCE_SET,
    "set_index",
    "shows",
    "begin",
    "begin_image",
    "match_steps",
    "attack_steps",
    "row_seed",
    "length",
    "radius",
)


def choose_row() -> FiveSetsRequest:
    """All choices of the sidebar. Raises :class:`ClassifierError` and :class:`ImageError` with what is missing."""
    pair, also = choose_pair()
    model = classifier(pair.standard.name)
    source = _choose_source(model)
    begin, begin_index, seed = _choose_start(model, source.picture, source.index)
    settings = _choose_settings(model, seed)
    controls = {key: st.session_state[key] for key in KEYS if st.session_state.get(key) is not None}
    return FiveSetsRequest(
        pair,
        also,
        source.picture,
        source.index,
        source.label,
        source.perceived_label,
        begin,
        begin_index,
        settings,
        controls,
    )


def choose_pair() -> tuple[ClassifierPair, tuple[str, ...]]:
    """The pair the sets are made with, and further classifiers to ask."""
    known = entries()
    found = pairs(known)
    if not found:
        raise ClassifierError(
            "There is no standard and robust classifier of the same data; make them: python -m explorer train cifar10-standard, then "
            "cifar10-robust."
        )
    pair = found[st.selectbox("Classifiers", list(found), key="pair", bind=BIND)]
    st.markdown(
        f"{badge(pair.standard)} {badge(pair.robust)} :small[{plain(pair.standard.data)}]",
        help=PAIR_HELP,
    )
    more = others(pair, known)
    also: list[str] = []
    if more:
        also = st.multiselect(
            "Also ask", more, key="others", help="Classifiers that only say what they see."
        )
    return pair, tuple(also)


@dataclass(frozen=True)
class _Chosen:
    """A picture, its place in its data (−1: none), the label it carries and what a person sees in it."""

    picture: Picture
    index: int
    label: int | None
    perceived_label: int | None


def _choose_source(model: Classifier) -> _Chosen:
    origin = st.segmented_control(
        "Picture",
        [GALLERY, UPLOAD, SET],
        default=GALLERY,
        required=True,
        key="origin",
        bind=BIND,
        help="A sample picture, one of your own, or an image of the set that is open at the end of the page.",
    )
    if origin == GALLERY:
        return _of_gallery(from_gallery(model), model)
    chosen = _from_set(model) if origin == SET else _from_upload(model)
    if chosen is not None:
        return chosen
    picture = gallery_picture(default_sample(model), model.gallery)
    st.caption(f"Until then the page shows “{plain(picture.title)}” of the gallery.")
    return _of_gallery(picture, model)


def _of_gallery(picture: Picture, model: Classifier) -> _Chosen:
    index = [sample.title for sample in samples(model.gallery)].index(picture.title)
    return _Chosen(picture, index, picture.label, picture.label)


def _from_upload(model: Classifier) -> _Chosen | None:
    picture = from_upload()
    if picture is None:
        return None
    shows = st.selectbox(
        "It shows",
        model.labels,
        index=None,
        key="shows",
        placeholder="what the robust classifier says",
        help="The class a person sees. Left empty, the robust classifier's answer is its label.",
    )
    label = None if shows is None else model.labels.index(shows)
    return _Chosen(picture, -1, label, label)


def _from_set(model: Classifier) -> _Chosen | None:
    opened = source_set()
    wrong = (
        opened.wrong_for(model)
        if opened is not None
        else "No set is open; choose one under “Browse a set”."
    )
    if opened is None or wrong:
        st.warning(wrong)
        return None
    last = len(opened.set) - 1
    index = int(st.number_input(f"Image of {opened.title}, 0 to {last}", 0, last, key="set_index"))
    st.caption("Or press a tile under “Browse a set” at the end of the page.")
    return _Chosen(
        opened.picture(index, model),
        opened.source_index(index),
        opened.label(index),
        opened.perceived_label(index),
    )


def _choose_start(
    model: Classifier, picture: Picture, index: int
) -> tuple[Picture | None, int | None, int]:
    """Where D_R and D_NR start (None: noise), its place in the gallery, and the seed."""
    begin = st.segmented_control(
        "D_R and D_NR start from",
        [BY_SEED, CHOSEN, NOISE],
        default=BY_SEED,
        required=True,
        key="begin",
        bind=BIND,
        help="A picture drawn by the seed, one that you choose, or noise. The paper draws from all training images.",
    )
    found = samples(model.gallery)
    place: int | None = None
    if begin == CHOSEN:
        titles = [sample.title for sample in found]
        title = st.selectbox(
            "Start picture", titles, index=len(titles) - 1, key="begin_image", bind=BIND
        )
        place = titles.index(title)
    seed = st.number_input(
        "Seed",
        0,
        2**31 - 1,
        FIRST_SEED,
        key="row_seed",
        bind=BIND,
        help="Draws the start, the noise and D_rand's label.",
    )
    if begin == BY_SEED:
        place = _drawn(found, picture, int(seed), index)
        st.caption(f"The seed draws “{plain(found[place].title)}”.")
    if begin == NOISE:
        st.caption(
            "From noise the paper takes 10,000 steps; more steps than the default are worth it here."
        )
    return (
        (None if place is None else gallery_picture(found[place], model.gallery)),
        place,
        int(seed),
    )


def _drawn(found: tuple[Sample, ...], picture: Picture, seed: int, index: int) -> int:
    """The place of a sample drawn by the seed, which is not the picture itself."""
    own = index if picture.source.startswith(GALLERY_PREFIX) else None
    try:
        return drawn_start(seed, index, len(found), own)
    except ValueError as error:
        raise ImageError(str(error)) from None


def _choose_settings(model: Classifier, seed: int) -> FiveSetsSettings:
    match_steps = st.slider(
        "Steps of D_R and D_NR",
        10,
        MOST_MATCH_STEPS,
        100,
        step=10,
        key="match_steps",
        bind=BIND,
        help="The paper takes 1,000.",
    )
    attack_steps = st.slider(
        "Steps of D_rand and D_det",
        5,
        MOST_ATTACK_STEPS,
        40,
        step=5,
        key="attack_steps",
        bind=BIND,
        help="The paper takes 100.",
    )
    with st.expander("More settings"):
        length = st.number_input(
            "Step size, in L2 at 32 × 32",
            0.01,
            5.0,
            STEP_SIZE,
            step=0.05,
            key="length",
            bind=BIND,
            help="The paper's is 0.1.",
        )
        radius = st.number_input(
            "ε of D_rand and D_det, in L2 at 32 × 32",
            0.05,
            10.0,
            EPSILON,
            step=0.25,
            key="radius",
            bind=BIND,
            help="The paper's is 0.5.",
        )
        paper = FiveSetsSettings(match_steps, attack_steps, float(length), float(radius), seed)
        settings = paper.for_size(model.input_size)
        if settings != paper:
            height, width = model.input_size
            st.caption(
                f"In proportion to the side: at {height} × {width} the step size is {settings.step_size:g} and ε {settings.epsilon:g}."
            )
    return settings
