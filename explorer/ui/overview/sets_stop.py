"""Stop 6: one picture in the five training sets, and what labels that look wrong teach."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Classifier, Entry
from explorer.classifiers.model_card import Accuracy
from explorer.experiments.ilyas2019.five_sets import make_five_sets, other_start_index
from explorer.experiments.ilyas2019.five_sets_result import (
    FiveSetsProgress,
    FiveSetsResult,
    FiveSetsSettings,
    SourceImage,
    StartImage,
)
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.figures.captions import percent
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.overview.computed import computed
from explorer.ui.overview.example import Example, small_example
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.address import open_page
from explorer.ui.shared.classifiers import classifier, entries, identity
from explorer.ui.shared.five_sets_row import PICTURE, VIEWS, draw_unfinished_row, five_sets_row
from explorer.ui.shared.image_picker import gallery_picture, known_label
from explorer.ui.shared.link_words import allow

SEED = 4  # as the page of the sets begins with
TRAINED_ON_D_DET = "cifar10-d_det"
_NOTHING, _SOMETHING, _WELL = "no more than guessing", "more than guessing", "as well as on D"


@dataclass(frozen=True)
class _Known:
    """The classifier trained on D_det and its measured accuracy, and that of the one trained on D.

    ``guessing`` is the accuracy of guessing.
    """

    entry: Entry
    accuracy: Accuracy
    on_d: Accuracy
    guessing: float


def show(places: Places) -> None:
    """Draw the stop."""
    example = small_example()
    settings = FiveSetsSettings(seed=SEED)
    with places.picture:
        allow("tour_view", VIEWS)
        view = st.segmented_control(
            "What the row shows",
            VIEWS,
            default=PICTURE,
            required=True,
            key="tour_view",
            bind="query-params",
            persist_state="session",
            label_visibility="collapsed",
        )
        pictures = st.container()
        with places.status:
            row = _row(example, settings, pictures)
        if row is not None:
            with pictures:
                five_sets_row(row, str(view), "tour sets", explained=False)
    if row is None:
        return
    known = _trained_on_d_det()
    if known is not None:
        _question(known, row)
    _full_page(example, str(view))


def _row(
    example: Example, settings: FiveSetsSettings, unfinished: DeltaGenerator
) -> FiveSetsResult | None:
    """The five images; None while those that are done are drawn in ``unfinished``."""
    standard, robust = (classifier(entry.name) for entry in example.pair)
    models = ModelPair(standard, robust)
    for_size = settings.for_size(standard.input_size)
    source, start = _images(example, standard, settings.seed)

    def work(job: Job[FiveSetsResult]) -> FiveSetsResult:
        steps = (*[for_size.match_steps] * 2, *[for_size.attack_steps] * 2)

        def on_progress(progress: FiveSetsProgress) -> None:
            job.preview = progress
            finished = len(progress.images) - 1  # the first image is the source itself
            job.progress = sum(steps[:finished]) + progress.frame.step, sum(steps)

        return make_five_sets(
            source, start, models, for_size, on_progress=on_progress, cancelled=job.next_step
        )

    def draw_preview(preview: FiveSetsProgress, key: str) -> None:
        draw_unfinished_row(preview, models.infos, key)

    key = (example.picture.digest, for_size, *map(identity, models.classifiers))
    units = 2 * (for_size.match_steps + for_size.attack_steps)
    return computed(
        "tour sets",
        key,
        standard,
        work,
        "Building the sets",
        units=units,
        draw_preview=draw_preview,
        preview_place=unfinished,
    )


def _images(example: Example, model: Classifier, seed: int) -> tuple[SourceImage, StartImage]:
    """The picture, and the one that the seed draws to start from, as on the page of the sets."""
    gallery = samples(model.gallery)
    index = [sample.title for sample in gallery].index(example.picture.title)
    label = known_label(example.picture, model)
    source = SourceImage(preprocess(example.picture.image, model), label, label, index)
    other = gallery_picture(
        gallery[other_start_index(seed, index, len(gallery), index)], model.gallery
    )
    other = replace(other, label=known_label(other, model))
    return source, StartImage(preprocess(other.image, model), other.label)


def _trained_on_d_det() -> _Known | None:
    """None on a machine without these classifiers or their measured accuracy."""
    known: dict[str, Any] = entries()
    entry, on_d = known.get(TRAINED_ON_D_DET), known.get("cifar10-d")
    if entry is None or on_d is None or entry.card is None or on_d.card is None:
        return None
    accuracy, accuracy_on_d = entry.card.at(0.0), on_d.card.at(0.0)
    if accuracy is None or accuracy_on_d is None:
        return None
    return _Known(entry, accuracy, accuracy_on_d, 1 / len(entry.card.labels))


def _question(known: _Known, row: FiveSetsResult) -> None:
    chosen = ask(
        "sets",
        "A classifier was trained on D_det alone, where every label looks wrong to you. How well "
        "does it do on ordinary pictures?",
        [_NOTHING, _SOMETHING, _WELL],
    )
    accuracy, on_d = known.accuracy, known.on_d
    right = _NOTHING
    if accuracy.high >= on_d.low:
        right = _WELL
    elif accuracy.low > known.guessing:
        right = _SOMETHING
    answer(
        chosen,
        right,
        f"It is right on {_measured(accuracy)}; guessing would be right on "
        f"{percent(known.guessing)}, and the classifier trained on D on {_measured(on_d)}. What it "
        "learned are patterns that you do not see in these pictures.",
    )
    if chosen is not None:
        st.caption(
            f"The test pictures are {plain(accuracy.data)}. In brackets are 95 % Wilson intervals. "
            "The paper's ResNet-50, trained on five times as many images, reaches 43.7 % (table 1)."
        )


def _measured(accuracy: Accuracy) -> str:
    return (
        f"{percent(accuracy.accuracy)} of {accuracy.n:,} test pictures "
        f"({percent(accuracy.low)} to {percent(accuracy.high)})"
    )


def _full_page(example: Example, view: str) -> None:
    """A button to the page of the sets, with the same row in the same view."""
    with st.container(horizontal=True, key="tour-ways"):
        if st.button("Open this row on its page", icon=":material/compare:", key="to_datasets"):
            defaults = ("pair", "others", "begin", "begin_image", "match_steps", "attack_steps")
            values: dict[str, str | None] = {
                **dict.fromkeys((*defaults, "length", "radius", "set_index", "origin")),
                "row_image": example.picture.title,
                "row_seed": str(SEED),
                "view": view,
            }
            open_page("datasets", values)
