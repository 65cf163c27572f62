"""What the worker computes for a section: at once if it is known, else with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from explorer.ui.features.controls import PAGE, FeaturesRequest
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import result_key, show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.result_cache import ResultCache

T = TypeVar("T")
CAPACITY = 16  # results of a session
_SHOWN = f"{PAGE}key of "  # in the session's state, with a place: the key of what it shows


@dataclass(frozen=True)
class Shown(Generic[T]):
    """What a section can show. ``is_current`` says that it answers the question on the page."""

    result: T | None
    is_current: bool


def run_in_worker(
    request: FeaturesRequest,
    place: str,
    question: Hashable,
    work: Callable[[Job[T]], T],
    describe: Callable[[Job[Any]], str],
    draw_preview: Callable[[Any, str], None] | None = None,
) -> Shown[T]:
    """The result of ``work``; until it is there, the last one of ``place``, or None.

    ``question`` is the section's own part of the key of the result, which also has the picture and
    the weights. ``work`` reports (done, total) in ``job.progress`` and calls ``job.next_step``
    before each step; ``describe`` says what it is doing, and ``draw_preview(preview, key)`` draws
    ``job.preview`` while there is no earlier result.
    """
    key = (place, question, request.key)
    results: ResultCache[Any] = st.session_state.setdefault(f"{PAGE}results", ResultCache(CAPACITY))
    jobs = session_jobs(str(next(iter(request.models.values())).device))
    known: T | None = results.get(key)
    if known is not None:
        jobs.cancel(place)
        st.session_state.update({result_key(place): known, _SHOWN + place: key})
        st.container(key=f"status {place}")  # as show_progress has it
        return Shown(known, is_current=True)
    job = jobs.submit(place, key, work)
    result = show_progress(jobs, job, place, describe, draw_preview=draw_preview)
    if job.done and result is not None:
        results.put(key, result)
        st.session_state[_SHOWN + place] = key
    return Shown(result, is_current=st.session_state.get(_SHOWN + place) == key)
