"""Waiting for a job on a page: its progress while it runs, and the last result until it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from explorer.ui.jobs.sessions import SessionJobs
from explorer.ui.jobs.worker import Job

T = TypeVar("T")

# Most attacks on a bundled classifier are done by then: the page shows the new result without showing progress first.
PATIENCE = 0.8  # seconds


def show_progress(
    way: SessionJobs,
    job: Job[T],
    place: str,
    words: Callable[[Job[Any]], str],
    *,
    first: Callable[[Job[Any]], None] | None = None,
    keep: bool = True,
) -> T | None:
    """The job's result, or with ``keep`` the last one at this ``place`` while it is under way; None when there is none yet.

    ``words`` says what the job is doing, ``first`` draws what it shows of itself where there is no last result to look at.
    """
    job.wait(PATIENCE)
    if job.finished and job.cancelled():
        st.rerun()  # the browser lost its connection meanwhile, which closed the lane
    if job.done and keep:
        st.session_state[f"result {place}"] = job.result
    last: T | None = st.session_state.get(f"result {place}") if keep else job.result
    # Always there, also when empty: what a late run of the fragment still sends must find its container, else the browser
    # stops with an error.
    with st.container(key=f"status {place}"):
        if job.error is not None:
            st.error(job.error)
            if last is not None:
                st.caption("Below is the last result.")
        elif not job.finished:
            _progress(way, job, words, last is not None, first)
    return last


@st.fragment(run_every=0.1)
def _progress(
    way: SessionJobs,
    job: Job[Any],
    words: Callable[[Job[Any]], str],
    before: bool,
    first: Callable[[Job[Any]], None] | None,
) -> None:
    """A bar that follows the job; the page runs again when it has finished."""
    if job.finished:
        st.rerun()
    done, steps = job.progress
    waiting = way.worker.ahead(job)
    text = (
        f"Waiting for {waiting} other attack{'s' if waiting > 1 else ''}" if waiting else words(job)
    )
    st.progress(
        min(done / steps, 1.0) if steps else 0.0,
        text + ("; below is the last result." if before else ""),
    )
    if first is not None and not before:
        first(job)
