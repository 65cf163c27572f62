"""What the worker computes for a section: at once if it is known, else with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any, TypeVar

from explorer.ui.features.controls import PAGE, FeaturesRequest
from explorer.ui.jobs.job import Job
from explorer.ui.shared.known_result import Shown, known_or_computed
from explorer.ui.shared.own_question import is_own_question

T = TypeVar("T")


def run_in_worker(
    request: FeaturesRequest,
    place: str,
    question: Hashable,
    work: Callable[[Job[T]], T],
    describe: Callable[[Job[Any]], str],
    draw_preview: Callable[[Any, str], None] | None = None,
) -> Shown[T]:
    """The result of ``work``; until it is there, the last one of ``place``, or None.

    ``question`` is the section's own part of the key of the result, which also has the picture and
    the weights. ``work`` reports (done, total) in ``job.progress`` and calls ``job.next_step``
    before each step; ``describe`` says what it is doing, and ``draw_preview(preview, key)`` draws
    ``job.preview`` while there is no earlier result.
    """
    device = str(next(iter(request.models.values())).device)
    key = (question, request.key)
    is_own = is_own_question(request.names, [request.picture.source])
    shown = known_or_computed(PAGE, place, key, device, work, describe, draw_preview, is_own=is_own)
    return replace(shown, is_current=shown.is_current and request.is_chosen)
