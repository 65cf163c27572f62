"""The section of synthesis: classifiers draw each class, and others say what they recognise."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import streamlit as st

from explorer.experiments.features.drawing_recipes import synthesis_recipe, synthesise_command
from explorer.experiments.features.recognition import judge_names
from explorer.experiments.features.starts import GREY, NOISE
from explorer.experiments.features.synthesis import (
    MOST_CLASSES,
    Synthesis,
    SynthesisFrame,
    SynthesisSettings,
    default_epsilon,
    synthesise,
)
from explorer.figures.drawing_rows import JudgeRow, frame_row, judge_rows, synthesis_rows
from explorer.ui.components.markdown import plain, unbroken
from explorer.ui.features.controls import PAGE, FeaturesRequest
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_widgets import (
    BIND,
    choose_one,
    choose_seed,
    class_index,
    class_options,
)
from explorer.ui.shared.classifiers import classifier_of, entries
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_choices import linked_select
from explorer.ui.shared.linked_widgets import linked_slider

CLASSES, EPSILON, COUNT = f"{PAGE}drawn", f"{PAGE}drawn_l2", f"{PAGE}drawn_count"
START, STEPS, JUDGE = f"{PAGE}drawn_start", f"{PAGE}drawn_steps", f"{PAGE}judge"
_OWN_SEED = f"{PAGE}drawn_"
LINKED = (CLASSES, EPSILON, COUNT, START, STEPS, JUDGE, f"{_OWN_SEED}seed")
_PLACE = "features synthesis"
_STARTS = {"noise": NOISE, "grey, faint noise": GREY}
_LARGEST, _MOST_STEPS, _MOST_COUNT = 3.0, 100, 10
_FIRST_CLASSES = 6  # that are drawn where a classifier has many
_LEAD = (
    "Each classifier draws: beginning at noise, small steps raise its own score of a class, as far "
    "as ε allows. Then other classifiers say what they recognise. The picture in the sidebar plays "
    "no part here."
)
_EXPLANATION = """
Where a classifier's score depends on things that people see, an object appears; where it depends on
other patterns, static (Santurkar et al. 2019; Engstrom et al. 2019). All pictures are drawn with
the same settings, and all judges see the same ones. The last column is the control: how many a
judge “recognises” before anything is drawn. A guess is right for one class of all.

There are exceptions: the standard classifier of the twelve everyday classes draws shapes, and its
robust partner recognises them.

**A judge has to look through the noise that remains.** Most standard classifiers don't: they give
the same answer to nearly every noisy picture, whatever was drawn into it. The classifier trained on
D_R does. It was trained in the standard way, but on a set that was built with the robust classifier
of CIFAR-10, so its verdict is not independent of that one.

**The start matters.** On grey with faint noise the lines of a standard classifier stand out too,
and more judges recognise them: its drawings are weak, not empty. Try it.
"""


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_LEAD)
    settings = _choose(request)
    models, known = request.models, entries()
    judges = judge_names(known, models.values())
    judge_entries = {name: known[name] for name in judges}

    def work(job: Job[Synthesis]) -> Synthesis:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        def show(frame: SynthesisFrame) -> None:
            job.preview = frame

        loaded = {name: models.get(name) or classifier_of(judge_entries[name]) for name in judges}
        return synthesise(
            models, settings, loaded, on_step=count, on_frame=show, cancelled=job.next_step
        )

    def preview(frame: SynthesisFrame, key: str) -> None:
        model = models[frame.name]
        row = frame_row(model.title, model.robust, model.labels, frame.targets, frame.images)
        picture_rows([row], key, request.colour(frame.name))

    shown = run_in_worker(request, _PLACE, settings, work, _doing, preview)
    if shown.result is None:
        return None
    _show(request, shown.result)
    if not shown.is_current:
        return None
    _exports(request, settings, shown.result)
    return settings


def _choose(request: FeaturesRequest) -> SynthesisSettings:
    model = request.models[request.names[0]]
    options = class_options(model.labels)
    usual = default_epsilon(model.input_size)
    few = len(options) <= MOST_CLASSES
    allow(CLASSES, options, most=MOST_CLASSES)
    chosen = st.multiselect(
        "Classes",
        options,
        default=[] if few else options[:_FIRST_CLASSES],
        key=CLASSES,
        bind=BIND,
        max_selections=MOST_CLASSES,
        placeholder="all" if few else "choose classes",
    )
    left, right = st.columns(2)
    with left:
        epsilon = linked_slider(
            "ε: length of the change (L2)",
            1.0,
            _LARGEST * usual,
            usual,
            step=1.0,
            format="%.0f",
            key=EPSILON,
            help="How long the change of a picture may be; its values run from 0 to 1.",
        )
    with right:
        start = choose_one(
            "Begin with",
            list(_STARTS),
            START,
            "Strong (uniform) noise, or grey with faint noise on it.",
        )
    with st.expander("More settings"):
        count = linked_slider(
            "Pictures of each class",
            1,
            _MOST_COUNT,
            1,
            key=COUNT,
            help="More pictures make the intervals narrower. The first of each class is shown.",
        )
        steps = linked_slider("Steps", 5, _MOST_STEPS, SynthesisSettings.steps, key=STEPS)
        seed = choose_seed("The same seed gives the same noise.", _OWN_SEED)
    indices = [class_index(options, each) for each in chosen]
    classes = tuple(index for index in indices if index is not None)
    return SynthesisSettings(
        classes=classes or (None if few else tuple(range(_FIRST_CLASSES))),
        count=int(count),
        epsilon=None if epsilon == usual else float(epsilon),
        steps=int(steps),
        start=_STARTS[start],
        seed=seed,
    )


def _show(request: FeaturesRequest, synthesis: Synthesis) -> None:
    judge = request.names[-1]
    if synthesis.judges:
        titles = {name: _title(name) for name in synthesis.judges}
        label = "Below each picture: what this classifier says of it"
        judge = linked_select(label, titles, synthesis.judges[0], key=JUDGE)
    picture_rows(synthesis_rows(synthesis, judge, _title(judge)), _PLACE)
    st.markdown("**How many pictures each classifier recognises**, with 95 % Wilson intervals")
    st.markdown(_table(synthesis, judge_rows(synthesis)))
    with st.expander("What to see here, and who may judge", icon=":material/help:"):
        st.markdown(_EXPLANATION)


def _table(synthesis: Synthesis, rows: tuple[JudgeRow, ...]) -> str:
    heads = [f"drawn by {plain(each.title)}" for each in synthesis.drawings]
    lines = [["judge", *heads, "the noise itself"]]
    lines.append(["---"] * len(lines[0]))
    lines += [
        [plain(_title(row.judge)), *map(unbroken, row.cells), unbroken(row.control)] for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _title(name: str) -> str:
    entry = entries().get(name)
    return name if entry is None else entry.title


def _doing(job: Job[Any]) -> str:
    done, total = job.progress
    return f"Drawing: step {done} of {total}" if total else "Preparing the drawings"


def _exports(request: FeaturesRequest, settings: SynthesisSettings, synthesis: Synthesis) -> None:
    judge = str(st.session_state.get(JUDGE) or request.names[-1])

    def build() -> dict[str, bytes]:
        from explorer.figures.drawing_files import synthesis_files

        return synthesis_files(
            synthesis, settings, judge, synthesis_recipe(synthesis, settings, request.models)
        )

    command = synthesise_command(settings, request.names)
    section_exports(request, LINKED, "synthesis", build, [command])
