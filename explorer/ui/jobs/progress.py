"""Waiting for a job on a page: its progress while it runs, and the last result until it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import sentence
from explorer.ui.jobs.sessions import SessionJobs
from explorer.ui.jobs.worker import Job

T = TypeVar("T")

# Most attacks on a bundled classifier end sooner: the page then shows no progress bar at all.
PATIENCE = 0.8  # seconds


def show_progress(
    jobs: SessionJobs,
    job: Job[T],
    place: str,
    describe: Callable[[Job[Any]], str],
    *,
    draw_preview: Callable[[Job[Any]], None] | None = None,
    keep: bool = True,
) -> T | None:
    """The job's result. Until it is done, with ``keep``, the last result of ``place``, or None.

    Shows the job's error or its progress: ``describe`` says what it is doing, and ``draw_preview``
    draws its preview if there is no last result on the page.
    """
    job.wait(PATIENCE)
    finished = job.finished
    if finished and job.cancelled():
        st.rerun()  # the browser lost its connection, which cancelled the session's jobs
    job.awaited = not finished
    if job.done and keep:
        st.session_state[result_key(place)] = job.result
    last: T | None = last_result(place) if keep else job.result
    # Drawn also when empty: the browser stops with an error if the last run of the fragment sends
    # something to a container that is gone.
    with st.container(key=f"status {place}"):
        if job.error is not None:
            st.error(sentence(job.error))
            if last is not None:
                st.caption("Below is the last result.")
        elif not finished:
            _progress(jobs, job, describe, last is not None, draw_preview)
    return last


def result_key(place: str) -> str:
    """Where the session state holds the last result of ``place``."""
    return f"result {place}"


def last_result(place: str) -> Any:
    """The last result of ``place`` in this session, or None."""
    return st.session_state.get(result_key(place))


@st.fragment(run_every=0.1)
@report_errors()
def _progress(
    jobs: SessionJobs,
    job: Job[Any],
    describe: Callable[[Job[Any]], str],
    has_last_result: bool,
    draw_preview: Callable[[Job[Any]], None] | None,
) -> None:
    """A bar that follows the job; the page runs again when the job has finished."""
    if job.finished:
        st.rerun()
    done, steps = job.progress
    waiting = jobs.worker.ahead(job)
    text = (
        f"Waiting for {waiting} other job{'s' if waiting > 1 else ''}" if waiting else describe(job)
    )
    st.progress(
        min(done / steps, 1.0) if steps else 0.0,
        text + ("; below is the last result." if has_last_result else ""),
    )
    if draw_preview is not None and not has_last_result:
        draw_preview(job)
