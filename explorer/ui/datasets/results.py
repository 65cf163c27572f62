"""Asking the worker for a row and showing it grow."""

from __future__ import annotations

from functools import partial
from typing import Any

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult, FiveSetsProgress
from explorer.ui.datasets.five_sets_row import row_in_the_making
from explorer.ui.datasets.request import FiveSetsRequest, make_five_sets_row
from explorer.ui.datasets.words import SETS
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.jobs.worker import Job
from explorer.ui.shared.classifiers import classifier

PLACE = "row"


def ask_row(question: FiveSetsRequest) -> FiveSetsResult | None:
    """The row, or the last one while the new one is being made; None when there is none yet, and then what there is of it is drawn."""
    judges = question.panel().models
    way = session_jobs(str(classifier(question.pair.standard.name).device))
    job = way.submit(PLACE, question.key, partial(make_five_sets_row, question))

    def first(job: Job[Any]) -> None:
        if isinstance(job.shown, FiveSetsProgress):
            row_in_the_making(job.shown, judges, "row growing")

    return show_progress(way, job, PLACE, _making, first=first)


def _making(job: Job[Any]) -> str:
    stage = job.shown
    if not isinstance(stage, FiveSetsProgress):
        return "Preparing the sets"
    return f"Making {SETS[stage.frame.name].short} ({len(stage.made)} of 4): step {stage.frame.step} of {stage.frame.steps}"
