"""Asking the worker, waiting for the answer, and showing it: progress while it lasts, the last result until then."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse, respond
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.result_cache import RESULT_CACHE

T = TypeVar("T")


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
        st.session_state.update({asked: None, f"result {place}": known})
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


def _attacking(job: Job[Any]) -> str:
    done, steps = job.progress
    return f"Attacking: step {done} of {steps}" if steps else "Preparing the attack"
