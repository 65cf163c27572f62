"""What the worker computes for a comparison beside the attacks: noise and transfers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import streamlit as st

from explorer.experiments.compare import Control, control_of
from explorer.experiments.picture_transfer import Transfer, transfers_between
from explorer.ui.compare.controls import PAGE, ComparisonRequest
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_job import is_own, own_or_shared
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.result_cache import ResultCache, results_of

T = TypeVar("T")
_RESULTS: ResultCache[Any] = ResultCache(48)  # a slider that is moved back shows its own at once


def control_job(response: AttackResponse, place: str) -> Control | None:
    """Noise of the attack's size, and its caveats; None until they are there."""
    name = response.report.recipe.model
    model = classifier(name)

    def work(job: Job[Control]) -> Control:
        return control_of(model, response.report, cancelled=job.next_step)

    key = ("control", *response.request.key, identity(model))
    results = own_or_shared(response.request, _RESULTS, f"{PAGE}results")
    return _result(
        results, place, key, str(model.device), work, "Classifying noise of the same size"
    )


def transfers_job(
    request: ComparisonRequest, responses: Mapping[str, AttackResponse], place: str
) -> tuple[Transfer, ...] | None:
    """Each adversarial picture shown to each classifier; None until it is there."""
    models = {name: classifier(name) for name in responses}
    reports = {name: response.report for name, response in responses.items()}
    device = str(models[next(iter(models))].device)

    def work(job: Job[tuple[Transfer, ...]]) -> tuple[Transfer, ...]:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        return transfers_between(
            models, request.recipes, reports, on_step=count, cancelled=job.next_step
        )

    key = ("transfers", *((each.request.key, identity(models[n])) for n, each in responses.items()))
    is_own_question = any(is_own(each.request) for each in responses.values())
    results = results_of(_RESULTS, f"{PAGE}results", is_own=is_own_question)
    return _result(results, place, key, device, work, "Showing each picture to each classifier")


def _result(
    results: ResultCache[Any],
    place: str,
    key: Hashable,
    device: str,
    work: Callable[[Job[T]], T],
    doing: str,
) -> T | None:
    """The result of ``work``, from ``results`` if it has been computed before."""
    known: T | None = results.get(key)
    if known is not None:
        st.container(key=f"status {place}")  # as show_progress has it
        return known
    jobs = session_jobs(device)
    result = show_progress(
        jobs, jobs.submit(place, key, work), place, lambda job: doing, keep=False
    )
    if result is not None:
        results.put(key, result)
    return result
