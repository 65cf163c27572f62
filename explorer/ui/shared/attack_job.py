"""Attacks by the worker: cached responses at once, else progress and the last response."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from explorer.classifiers import Classifier
from explorer.experiments.effort import most_steps
from explorer.experiments.one_image.attack_image import attack_from
from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.progress import result_key, show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse, respond
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.own_question import is_own_question
from explorer.ui.shared.result_cache import RESULT_CACHE, ResultCache, results_of

T = TypeVar("T")


def run_attack(request: AttackRequest, place: str) -> AttackResponse | None:
    """The response; until it is there, the last one of this ``place``, or None.

    Shows progress while the attack runs, and its error if it fails.
    """
    model = classifier(request.recipe.model)
    jobs = session_jobs(str(model.device))
    key = (*request.key, identity(model))
    requested = f"requested {place}"
    # While a request of this place is its latest, its own job has the response: the cache would
    # call it "from cache" though the attack ran for this page.
    results = own_or_shared(request, RESULT_CACHE, "results")
    cached = results.get(key) if st.session_state.get(requested) != key else None
    if cached is not None:
        jobs.cancel(place)
        st.session_state.update({requested: None, result_key(place): cached})
        st.container(key=f"status {place}")  # see show_progress
        return cached
    st.session_state[requested] = key
    work = partial(_respond_and_cache, request, model, results, key)
    job = jobs.submit(place, key, work, cost=_cost(request, model))
    return show_progress(jobs, job, place, _describe)


def is_own(request: AttackRequest) -> bool:
    """Whether the picture or the classifier is the visitor's own, which other sessions lack."""
    return is_own_question([request.recipe.model], [request.picture.source])


def own_or_shared(request: AttackRequest, shared: ResultCache[T], name: str) -> ResultCache[T]:
    """Where results called ``name`` about ``request`` are kept: with all sessions', or its own."""
    return results_of(shared, name, is_own=is_own(request))


def seconds_needed(request: AttackRequest) -> float:
    """How long the attack will need the device, by earlier ones; 0 if nothing is known."""
    model = classifier(request.recipe.model)
    return session_jobs(str(model.device)).worker.estimate(_cost(request, model))


def _cost(request: AttackRequest, model: Classifier) -> Cost:
    """One unit is one step of one restart; a thorough attack may need fewer than its most."""
    recipe = request.recipe
    steps = most_steps(
        attack_from(recipe),
        recipe.effort,
        len(model.labels),
        targeted=recipe.target is not None,
    )
    return Cost((model.digest, recipe.precision), steps)


def _respond_and_cache(
    request: AttackRequest,
    model: Classifier,
    results: ResultCache[AttackResponse],
    key: Hashable,
    job: Job[AttackResponse],
) -> AttackResponse:
    response = respond(request, model, job)
    cached = replace(response, timing=replace(response.timing, from_cache=True))
    results.put(key, cached)
    return response


def _describe(job: Job[Any]) -> str:
    done, steps = job.progress
    return f"Attacking: step {done} of {steps}" if steps else "Preparing the attack"
