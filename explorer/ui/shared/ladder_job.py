"""The ladder of an answered attack: computed in the background, and kept for all its ε."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from explorer.classifiers import Classifier
from explorer.errors import Cancelled
from explorer.experiments.one_image.ladder import (
    COARSE_TO_FINE,
    FIRST_STEPS,
    HALVINGS,
    RUNG_STEPS,
    Ladder,
    Rung,
    compute_ladder,
    ladder_recipe,
)
from explorer.images.geometry import preprocess
from explorer.settings import SECONDS
from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_job import is_own
from explorer.ui.shared.attack_request import AttackRequest
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.result_cache import ResultCache, results_of
from explorer.ui.shared.rung_data import rung_data

# A ladder for pictures of 224 × 224 takes about 20 megabytes.
CAPACITY, OWN_CAPACITY = 12, 2
RUNGS = len(COARSE_TO_FINE) + HALVINGS
# The browser gets the rungs in parts: the coarse ones after 4 and 8, and all of the range after 17.
PARTS = (4, 8, len(COARSE_TO_FINE), RUNGS)
STEPS = FIRST_STEPS + (RUNGS - 1) * RUNG_STEPS


@dataclass(frozen=True)
class EncodedLadder:
    """A ladder, and its rungs as the browser gets them: a tuple for each of :data:`PARTS`.

    ``id`` is equal for all questions that have this ladder.
    """

    id: str
    ladder: Ladder
    parts: tuple[tuple[dict[str, Any], ...], ...]


_LADDERS: ResultCache[EncodedLadder] = ResultCache(CAPACITY)


@dataclass(frozen=True)
class LadderState:
    """What there is of a ladder: all of it as ``encoded``, or the ``job`` that computes it.

    There is neither while a ladder that takes long waits to be asked for; ``seconds`` is how long,
    if that is known, else 0.
    """

    id: str
    encoded: EncodedLadder | None = None
    job: Job[EncodedLadder] | None = None
    seconds: float = 0.0


def ladder_of(request: AttackRequest, place: str) -> LadderState:
    """The ladder for an attack that was answered, or the job in the background that computes it.

    ``place`` has one such job: that of another question is cancelled. Nobody waits for it: a
    question that somebody asks goes first, before each of its steps. A ladder that takes longer
    than a question may is computed after :func:`ask_for_ladder` only.
    """
    model = classifier(request.recipe.model)
    key = (request.picture.digest, ladder_recipe(request.recipe).to_json(), identity(model))
    name, own = hashlib.sha256(repr(key).encode()).hexdigest(), f"ladder {place}"
    jobs = session_jobs(str(model.device))
    results = _results(request)
    if (encoded := results.get(key)) is not None:
        jobs.cancel(own)
        return LadderState(name, encoded)
    known: tuple[Hashable, Job[EncodedLadder]] | None = st.session_state.get(own)
    if known is not None and known[0] == key and not known[1].cancelled():
        return LadderState(name, known[1].result, known[1])  # a failed one is not tried again
    cost = Cost((model.digest, request.recipe.precision), STEPS)
    seconds = jobs.worker.estimate(cost)
    if seconds > SECONDS.value and st.session_state.get(_asked(place)) != name:
        return LadderState(name, seconds=seconds)
    work = partial(_compute, request, model, results, key, name)
    job = jobs.submit(own, key, work, background=True, cost=cost)
    st.session_state[own] = key, job
    return LadderState(name, job=job, seconds=seconds)


def ask_for_ladder(state: LadderState, place: str) -> None:
    """Let :func:`ladder_of` compute this ladder although it takes long."""
    st.session_state[_asked(place)] = state.id


def _asked(place: str) -> str:
    return f"ladder asked for {place}"  # in the session's state


def _results(request: AttackRequest) -> ResultCache[EncodedLadder]:
    """Those of all sessions, or the session's own for a visitor's own picture or classifier."""
    return results_of(_LADDERS, "ladders", is_own=is_own(request), capacity=OWN_CAPACITY)


def _compute(
    request: AttackRequest,
    model: Classifier,
    results: ResultCache[EncodedLadder],
    key: Hashable,
    name: str,
    job: Job[EncodedLadder],
) -> EncodedLadder:
    if not job.next_step() and (known := results.get(key)) is not None:
        return known  # another session asked for the same in the meantime
    parts = _Parts(job)
    pixels = preprocess(request.picture.image, model, request.recipe.crop)
    ladder = compute_ladder(
        model,
        pixels,
        request.recipe,
        on_step=job.on_step,
        on_rung=parts.add,
        cancelled=job.next_step,
    )
    encoded = EncodedLadder(name, ladder, parts.finish())
    results.put(key, encoded)
    return encoded


class _Parts:
    """The rungs for the browser, which the job's preview has part by part."""

    def __init__(self, job: Job[EncodedLadder]) -> None:
        self._job = job
        self._parts: list[tuple[dict[str, Any], ...]] = []
        self._open: list[dict[str, Any]] = []
        self._encoded: list[Rung] = []

    def add(self, ladder: Ladder) -> None:
        """Encode the rungs of ``ladder`` that are new or have changed, as a step of its own."""
        if self._job.next_step():
            raise Cancelled
        for rung in ladder.rungs:
            if not any(rung is each for each in self._encoded):
                self._open.append(rung_data(rung, ladder.recipe.norm))
        self._encoded = list(ladder.rungs)
        if len(ladder.rungs) - 1 in PARTS:
            self._close()

    def finish(self) -> tuple[tuple[dict[str, Any], ...], ...]:
        """All parts."""
        if self._open:
            self._close()
        return tuple(self._parts)

    def _close(self) -> None:
        self._parts.append(tuple(self._open))
        self._open = []
        self._job.preview = tuple(self._parts)
