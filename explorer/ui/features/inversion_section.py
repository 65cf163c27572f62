"""The section of inversion: from noise to a picture with the same features."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import streamlit as st

from explorer.experiments.features.drawing_recipes import inversion_recipe, invert_command
from explorer.experiments.features.inversion import (
    Inversion,
    InversionFrame,
    InversionSettings,
    invert,
)
from explorer.experiments.features.starts import GREY, NOISE
from explorer.figures.drawing_rows import inversion_row
from explorer.figures.tile_rows import Tile, TileRow
from explorer.ui.features.controls import PAGE, FeaturesRequest
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports, source_on_command_line
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_widgets import choose_one, choose_seed
from explorer.ui.shared.linked_widgets import linked_slider

STEPS, START = f"{PAGE}inverted_steps", f"{PAGE}inverted_start"
_OWN_SEED = f"{PAGE}inverted_"
LINKED = (STEPS, START, f"{_OWN_SEED}seed")
_PLACE = "features inversion"
_STARTS = {"grey, faint noise": GREY, "noise": NOISE}
_LEAD = (
    "What is left of a picture in the last layer before the classes? Beginning at noise, small "
    "steps look for another picture with the same features, the outputs of that layer."
)
_EXPLANATION = r"""
The steps minimise $\|g(x) - g(\text{picture})\|_2$, with $g$ the activations of the layer before
the classes (Engstrom et al. 2019). Where they end, picture and result are almost the same to the
classifier. Features of a robust classifier tend to bring back areas of colour and shapes, those of
a standard one a pattern. The SSIM says how alike the two pictures are to the eye: 1 is the same
picture, and the start's is the control. The sets D_R and D_NR of Ilyas et al. (2019) are built in
this way.
"""
Answer = tuple[Inversion, ...]


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_LEAD)
    settings = _choose()
    models = request.models

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        def show(frame: InversionFrame) -> None:
            job.preview = frame

        return invert(
            models,
            request.picture.image,
            settings,
            on_step=count,
            on_frame=show,
            cancelled=job.next_step,
        )

    def preview(frame: InversionFrame, key: str) -> None:
        model = models[frame.name]
        tile = Tile(f"step {frame.step} of {frame.steps}", frame.image)
        row = TileRow(model.title, model.robust, "", (tile,))
        picture_rows([row], key, request.colour(frame.name))

    shown = run_in_worker(request, _PLACE, settings, work, _doing, preview)
    if shown.result is None:
        return None
    picture_rows([inversion_row(each) for each in shown.result], _PLACE)
    with st.expander("What to see here", icon=":material/help:"):
        st.markdown(_EXPLANATION)
    if not shown.is_current:
        return None
    _exports(request, settings, shown.result)
    return settings


def _choose() -> InversionSettings:
    left, right = st.columns(2)
    with left:
        start = choose_one(
            "Begin with",
            list(_STARTS),
            START,
            "Grey with faint noise on it, or strong (uniform) noise.",
        )
    with right:
        steps = linked_slider(
            "Steps",
            50,
            1000,
            InversionSettings.steps,
            step=50,
            key=STEPS,
            help="They become shorter and shorter. More of them come nearer to the picture's "
            "features.",
        )
    with st.expander("More settings"):
        seed = choose_seed("The same seed gives the same noise.", _OWN_SEED)
    return InversionSettings(steps=int(steps), start=_STARTS[start], seed=seed)


def _doing(job: Job[Any]) -> str:
    done, total = job.progress
    return f"Inverting: step {done} of {total}" if total else "Preparing the inversion"


def _exports(request: FeaturesRequest, settings: InversionSettings, answers: Answer) -> None:
    source = source_on_command_line(request)

    def build() -> dict[str, bytes]:
        from explorer.figures.drawing_files import inversion_files

        return inversion_files(
            answers, settings, inversion_recipe(answers, settings, source, request.models)
        )

    command = invert_command(settings, source, request.names)
    section_exports(request, LINKED, "inversion", build, [command])
