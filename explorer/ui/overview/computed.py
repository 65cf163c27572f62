"""What a stop computes beside an attack: by the worker, and kept for everybody who comes after.

All stops show sample pictures, so that each result is the same for all visitors.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Classifier
from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.result_cache import ResultCache

T = TypeVar("T")
CAPACITY = 12  # results; the largest takes six megabytes
_RESULTS: ResultCache[Any] = ResultCache(CAPACITY)


def computed(
    place: str,
    key: Hashable,
    model: Classifier,
    work: Callable[[Job[T]], T],
    doing: str,
    *,
    units: int = 0,
    draw_preview: Callable[[Any, str], None] | None = None,
    preview_place: DeltaGenerator | None = None,
) -> T | None:
    """The result of ``work`` on the device of ``model``; None while a page shows its progress.

    ``key`` differs where the result does. ``doing`` says what is being done, and ``units`` how many
    steps of ``model`` that takes, if it is known. ``draw_preview`` draws in ``preview_place``.
    """
    full_key = (place, key)
    known: T | None = _RESULTS.get(full_key)
    if known is not None:
        return known
    jobs = session_jobs(str(model.device))
    cost = Cost((model.digest, place), units) if units else None
    job = jobs.submit(place, full_key, work, cost=cost)
    result = show_progress(
        jobs,
        job,
        place,
        lambda _: doing,
        draw_preview=draw_preview,
        preview_place=preview_place,
        keep=False,
    )
    if result is not None:
        _RESULTS.put(full_key, result)
    return result
