"""The row of five sets, computed by the worker."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsProgress, FiveSetsResult
from explorer.figures.set_words import SETS
from explorer.ui.datasets.request import FiveSetsRequest, compute_five_sets
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.five_sets_row import draw_unfinished_row

PLACE = "row"
_SHOWN = "request of the row"  # in the session's state


def compute_row(request: FiveSetsRequest, place: DeltaGenerator) -> FiveSetsResult | None:
    """The result; until it is there, the last one of this session, or None.

    Shows progress, and without a last result the images that are finished in ``place``. Raises
    :class:`~explorer.errors.UserError` if the classifiers can't be loaded or compared.
    """
    models = request.load_models()
    jobs = session_jobs(str(models.standard.device))
    job = jobs.submit(PLACE, request.key, partial(compute_five_sets, request))

    def draw_preview(preview: FiveSetsProgress, key: str) -> None:
        draw_unfinished_row(preview, models.infos, key)

    row = show_progress(jobs, job, PLACE, _status, draw_preview=draw_preview, preview_place=place)
    if job.done:
        st.session_state[_SHOWN] = request
    return row


def shown_request() -> FiveSetsRequest | None:
    """What was asked for the row on the page; the latest request may still be computed."""
    request: FiveSetsRequest | None = st.session_state.get(_SHOWN)
    return request


def _status(job: Job[Any]) -> str:
    progress = job.preview
    if not isinstance(progress, FiveSetsProgress):
        return "Preparing the sets"
    frame = progress.frame
    return (
        f"Building {SETS[frame.name].short} ({len(progress.images)} of 4): "
        f"step {frame.step} of {frame.steps}"
    )
