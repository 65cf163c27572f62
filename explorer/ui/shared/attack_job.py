"""Attacks by the worker: cached responses at once, else progress and the last response."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import result_key, show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse, respond
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.result_cache import RESULT_CACHE


def run_attack(request: AttackRequest, place: str) -> AttackResponse | None:
    """The response; until it is there, the last one of this ``place``, or None.

    Shows progress while the attack runs, and its error if it fails.
    """
    model = classifier(request.recipe.model)
    jobs = session_jobs(str(model.device))
    key = (*request.key, model.digest)
    requested = f"requested {place}"
    # While a request of this place is its latest, its own job has the response: the cache would
    # call it "from cache" though the attack ran for this page.
    cached = RESULT_CACHE.get(key) if st.session_state.get(requested) != key else None
    if cached is not None:
        jobs.cancel(place)
        st.session_state.update({requested: None, result_key(place): cached})
        st.container(key=f"status {place}")  # see show_progress
        return cached
    st.session_state[requested] = key
    job = jobs.submit(place, key, partial(_respond_and_cache, request, key))
    return show_progress(jobs, job, place, _describe)


def _respond_and_cache(
    request: AttackRequest, key: Hashable, job: Job[AttackResponse]
) -> AttackResponse:
    response = respond(request, job)
    cached = replace(response, timing=replace(response.timing, from_cache=True))
    RESULT_CACHE.put(key, cached)
    return response


def _describe(job: Job[Any]) -> str:
    done, steps = job.progress
    return f"Attacking: step {done} of {steps}" if steps else "Preparing the attack"
