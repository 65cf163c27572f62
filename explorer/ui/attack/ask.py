"""Asking the worker, waiting for the answer, and showing it: progress while it lasts, the last result until then."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from explorer.ui.attack.request import AttackRequest, AttackResponse, respond
from explorer.ui.attack.result_cache import RESULT_CACHE
from explorer.ui.jobs.sessions import SessionJobs, session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.classifiers import classifier

T = TypeVar("T")

# Most attacks on a bundled classifier are done by then: the page shows the new result without showing progress first.
PATIENCE = 0.8  # seconds


def ask(question: AttackRequest, place: str) -> AttackResponse | None:
    """The answer, or the last one given at this ``place`` while the new one is being worked on; None when there is none yet.

    Says so on the page when the attack failed, and shows progress while it runs.
    """
    model = classifier(question.recipe.model)
    way = session_jobs(str(model.device))
    key = (*question.key, model.digest)
    asked = f"asked {place}"
    # What this place has just asked for is its own job's answer, however often the page runs meanwhile.
    known = RESULT_CACHE.get(key) if st.session_state.get(asked) != key else None
    if known is not None:
        way.cancel(place)
        st.session_state.update({asked: None, f"answer {place}": known})
        st.container(key=f"status {place}")  # see follow
        return known
    st.session_state[asked] = key
    return show_progress(
        way, way.submit(place, key, partial(_answer, question, key)), place, _attacking
    )


def _answer(question: AttackRequest, key: Hashable, job: Job[AttackResponse]) -> AttackResponse:
    made = respond(question, job)
    RESULT_CACHE.put(key, replace(made, timing=replace(made.timing, kept=True)))
    return made


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
        st.session_state[f"answer {place}"] = job.result
    last: T | None = st.session_state.get(f"answer {place}") if keep else job.result
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


def _attacking(job: Job[Any]) -> str:
    done, steps = job.progress
    return f"Attacking: step {done} of {steps}" if steps else "Preparing the attack"


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
