"""The section of painting: brush over a part of the picture, and classifiers fill in a class."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import streamlit as st

from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.drawing_recipes import paint_command, painting_recipe
from explorer.experiments.features.large_epsilon import default_target
from explorer.experiments.features.mask import Box, box_cells, cells_from, cells_mask, cells_text
from explorer.experiments.features.painting import EPSILON as USUAL_EPSILON
from explorer.experiments.features.painting import Painting, PaintingSettings, paint
from explorer.experiments.features.synthesis import SynthesisFrame, default_epsilon
from explorer.figures.drawing_rows import painting_row
from explorer.figures.tile_rows import Tile, TileRow
from explorer.images.geometry import preprocess
from explorer.ui.features.brush import BRUSHED, brush
from explorer.ui.features.controls import PAGE, FeaturesRequest, choose_class
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports, source_on_command_line
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.linked_widgets import linked_slider
from explorer.ui.shared.session_memory import once
from explorer.ui.shared.stored_value import stored_value, write_value

TARGET, EPSILON, STEPS = f"{PAGE}painted", f"{PAGE}painted_l2", f"{PAGE}painted_steps"
MASK = f"{PAGE}mask"  # in the session's state and the address: the squares as digits
LINKED = (TARGET, EPSILON, STEPS, MASK)
_PLACE, _BRUSH = "features painting", "features brush"
_LARGEST = 4.0
_EDGES = {"left": 25, "top": 20, "right": 90, "bottom": 90}  # in per cent, as the first mask
_FIRST_MASK = cells_text(box_cells(Box(*(each / 100 for each in _EDGES.values()))))
_BOX_ERROR = f"{PAGE}box error"  # in the session's state
_LEAD = (
    "Brush over a part of the picture. There, each classifier changes the pixels until it sees the "
    "class that you choose; all other pixels stay as they are."
)
_EXPLANATION = """
Small steps raise the classifier's score of the class. Only marked pixels change, and all changes
together are at most ε long (Santurkar et al. 2019). A robust classifier has to paint something that
looks like the class; a standard one is content with a pattern in which people see nothing. With a
larger ε the robust one paints more boldly.
"""
Answer = tuple[Painting, ...]


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_LEAD)
    mask = _mask()
    models = request.models
    left, right = st.columns([2, 3])
    with left:
        first = models[request.names[0]]
        brush(preprocess(request.picture.image, first), mask, _BRUSH, _brushed)
        _box_by_numbers()
    with right:
        settings = _choose(request)
    masks = {name: cells_mask(cells_from(mask), each.input_size) for name, each in models.items()}

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        def show(frame: SynthesisFrame) -> None:
            job.preview = frame

        return paint(
            models,
            request.picture.image,
            masks,
            settings,
            on_step=count,
            on_frame=show,
            cancelled=job.next_step,
        )

    def preview(frame: SynthesisFrame, key: str) -> None:
        model = models[frame.name]
        tile = Tile(f"step {frame.step} of {frame.steps}", frame.images[0])
        row = TileRow(model.title, model.robust, "", (tile,))
        picture_rows([row], key, request.colour(frame.name))

    question = (settings, mask)
    shown = run_in_worker(request, _PLACE, question, work, _doing, preview)
    if shown.result is None:
        return None
    picture_rows([painting_row(each) for each in shown.result], _PLACE)
    with st.expander("What to see here", icon=":material/help:"):
        st.markdown(_EXPLANATION)
    if not shown.is_current:
        return None
    _exports(request, settings, mask, shown.result)
    return question


def _mask() -> str:
    """The mask of the session, which a link or a step back brings; always in the address."""
    asked = stored_value(MASK, lambda text: text if _is_mask(text) else None, "")
    mask = st.session_state[MASK] = asked or _FIRST_MASK
    write_value(MASK, mask)
    return mask


def _is_mask(text: str) -> bool:
    try:
        cells_from(text)
    except FeatureError:
        return False
    return True


def _brushed() -> None:
    """Take over what the browser reports; anything but a mask is ignored."""
    text = st.session_state[_BRUSH].get(BRUSHED)
    if isinstance(text, str) and _is_mask(text):
        _set_mask(text)


def _set_mask(text: str) -> None:
    st.session_state[MASK] = text


def _box_by_numbers() -> None:
    with st.expander("Mark a box by numbers"):
        columns = st.columns(len(_EDGES))
        for column, (edge, usual) in zip(columns, _EDGES.items(), strict=True):
            column.number_input(f"{edge}, %", 0, 100, usual, step=5, key=_edge_key(edge))
        st.button("Mark this box", on_click=_mark_box, key=f"{PAGE}mark")
        if error := st.session_state.pop(_BOX_ERROR, None):
            st.error(error)


def _edge_key(edge: str) -> str:
    return f"{PAGE}box_{edge}"


def _mark_box() -> None:
    edges = (float(st.session_state[_edge_key(edge)]) / 100 for edge in _EDGES)
    try:
        _set_mask(cells_text(box_cells(Box(*edges))))
    except FeatureError:
        st.session_state[_BOX_ERROR] = "Left must be below right, and top below bottom."


def _choose(request: FeaturesRequest) -> PaintingSettings:
    models = request.models
    usual = default_epsilon(models[request.names[0]].input_size, USUAL_EPSILON)
    target = choose_class(
        request,
        "Class to paint",
        TARGET,
        "the most probable other class",
        "If empty: of the classes that no classifier predicts, the one that the last classifier "
        "finds most probable.",
    )
    if target is None:
        target = once(
            f"{PAGE}usual target",
            request.key,
            lambda: default_target(models, request.picture.image),
        )
    epsilon = linked_slider(
        "ε: length of the change (L2)",
        0.5,
        _LARGEST * usual,
        usual,
        step=0.5,
        format="%.1f",
        key=EPSILON,
        help="How long the change of the marked part may be; values run from 0 to 1.",
    )
    steps = linked_slider("Steps", 5, 200, PaintingSettings.steps, key=STEPS)
    return PaintingSettings(
        target=target, epsilon=None if epsilon == usual else float(epsilon), steps=int(steps)
    )


def _doing(job: Job[Any]) -> str:
    done, total = job.progress
    return f"Painting: step {done} of {total}" if total else "Preparing the painting"


def _exports(
    request: FeaturesRequest, settings: PaintingSettings, mask: str, answers: Answer
) -> None:
    source = source_on_command_line(request)

    def build() -> dict[str, bytes]:
        from explorer.figures.drawing_files import painting_files

        return painting_files(
            answers, settings, painting_recipe(answers, settings, mask, source, request.models)
        )

    command = paint_command(settings, mask, source, request.names)
    section_exports(request, LINKED, "painting", build, [command])
