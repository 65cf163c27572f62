"""What the worker computes for a place: at once if this session knows it, else with progress."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import result_key, show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.result_cache import ResultCache, results_of

T = TypeVar("T")
_RESULTS: ResultCache[Any] = ResultCache(32)


@dataclass(frozen=True)
class Shown(Generic[T]):
    """What a place can show. ``is_current`` says that it answers the question on the page."""

    result: T | None
    is_current: bool


def known_or_computed(
    page: str,
    place: str,
    key: Hashable,
    device: str,
    work: Callable[[Job[T]], T],
    describe: Callable[[Job[Any]], str],
    draw_preview: Callable[[Any, str], None] | None = None,
    *,
    is_own: bool,
) -> Shown[T]:
    """The result of ``work``; until it is there, the last one of ``place``, or None.

    ``key`` is equal for questions with equal results, and ``page`` begins the page's keys.
    ``describe`` says what the job is doing, and ``draw_preview(preview, key)`` draws its preview
    while there is no earlier result. A result is for all sessions unless ``is_own`` is True: it is
    about a picture or a classifier of the visitor's own, or about a file, which may change.
    """
    results = results_of(_RESULTS, f"{page}results", is_own=is_own)
    jobs, shown_key = session_jobs(device), f"{page}key of {place}"
    known: T | None = results.get((place, key))
    if known is not None:
        jobs.cancel(place)
        st.session_state.update({result_key(place): known, shown_key: key})
        st.container(key=f"status {place}")  # as show_progress has it
        return Shown(known, is_current=True)
    job = jobs.submit(place, key, work)
    result = show_progress(jobs, job, place, describe, draw_preview=draw_preview)
    if job.done and result is not None:
        results.put((place, key), result)
        st.session_state[shown_key] = key
    return Shown(result, is_current=st.session_state.get(shown_key) == key)
