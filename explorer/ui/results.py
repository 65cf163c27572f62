"""Asking the worker, waiting for the answer, and showing it: progress while it lasts, the last result until then."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.ui.models import classifier
from explorer.ui.question import Answer, Question, answer
from explorer.ui.sessions import Lane, lane
from explorer.ui.worker import Job

# Most attacks on a bundled classifier are done by then: the page shows the new result without showing progress first.
PATIENCE = 0.8  # seconds


def ask(question: Question, place: str) -> Answer | None:
    """The answer, or the last one given at this ``place`` while the new one is being worked on; None when there is none yet.

    Says so on the page when the attack failed, and shows progress while it runs.
    """
    way = lane(str(classifier(question.recipe.model).device))
    job = way.submit(place, question.key, partial(answer, question))
    job.wait(PATIENCE)
    if job.finished and job.cancelled():
        st.rerun()  # the browser lost its connection meanwhile, which closed the lane
    if job.done:
        st.session_state[f"answer {place}"] = job.result
    last: Answer | None = st.session_state.get(f"answer {place}")
    # Always there, also when empty: what a late run of the fragment still sends must find its container, else the browser
    # stops with an error.
    with st.container(key=f"status {place}"):
        if job.error is not None:
            st.error(job.error)
            if last is not None:
                st.caption("Below is the last result.")
        elif not job.finished:
            _progress(way, job, last is not None)
    return last


@st.fragment(run_every=0.1)
def _progress(way: Lane, job: Job[Answer], before: bool) -> None:
    """A bar that follows the job; the page runs again when it has finished."""
    if job.finished:
        st.rerun()
    done, steps = job.progress
    waiting = way.worker.ahead(job)
    text = f"Attacking: step {done} of {steps}" if steps else "Preparing the attack"
    if waiting:
        text = f"Waiting for {waiting} other attack{'s' if waiting > 1 else ''}"
    st.progress(done / steps if steps else 0.0, text + ("; below is the last result." if before else ""))
