"""The answer to the page's question, computed by the worker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.experiments.sweep.image_set import picture_set, read_image_sets
from explorer.experiments.sweep.question import Answer, answer, asked
from explorer.experiments.sweep.recipe import SMALLEST, SWEEP, TRANSFER
from explorer.ui.curves.controls import PAGE, SetRequest
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import last_result, result_key, show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.own_question import is_own_question
from explorer.ui.shared.result_cache import ResultCache, results_of

_ANSWERS: ResultCache[Answer] = ResultCache(12)
PLACE = "curves"
_DOING = {
    SWEEP: "Attacking the pictures at each ε",
    SMALLEST: "Searching the smallest ε of each picture",
    TRANSFER: "Attacking the pictures and showing them to the other classifiers",
}


def compute_answer(
    request: SetRequest, draw: Callable[[Answer, str], None]
) -> tuple[Answer | None, bool]:
    """The answer, or the last one of this session, and whether it is that to ``request``.

    ``draw(answer, key)`` shows what there is of it while it is computed. Raises
    :class:`~explorer.errors.UserError` where a classifier can't be loaded.
    """
    classifiers = [classifier(name) for name in request.names]

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        def show(preview: Answer) -> None:
            job.preview = preview

        job.next_step()
        if request.pictures:
            images = [picture_set(request.pictures, each) for each in classifiers]
        else:
            assert request.recipe.data is not None
            images = read_image_sets(request.recipe.data, classifiers, request.recipe.limit)
        question = asked(request.recipe, classifiers, images)
        return answer(question, on_progress=count, on_answer=show, cancelled=job.next_step)

    key = (request.key, *map(identity, classifiers))
    answers = results_of(_ANSWERS, f"{PAGE}answers", is_own=_is_own(request))
    known = answers.get(key)
    if known is not None:
        st.container(key=f"status {PLACE}")  # as show_progress has it
        st.session_state[result_key(PLACE)] = known
        return known, True
    jobs = session_jobs(str(classifiers[0].device))
    job = jobs.submit(PLACE, key, work)
    result = show_progress(jobs, job, PLACE, _status, draw_preview=draw)
    if job.done and result is not None:
        answers.put(key, result)
    return result, job.done


def _is_own(request: SetRequest) -> bool:
    """Whether other sessions may get another answer; the single pictures are all uploaded ones."""
    return bool(request.pictures) or is_own_question(request.names, data=request.recipe.data)


def last_answer() -> Answer | None:
    """The last answer of this session."""
    last: Answer | None = last_result(PLACE)
    return last


def _status(job: Job[Any]) -> str:
    preview = job.preview
    return _DOING[preview.question.recipe.question] if preview else "Attacking the pictures"
