"""How long jobs will take, as learned from earlier ones, and how long a question may take."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Hashable
from statistics import median
from typing import Any

from explorer.errors import UserError
from explorer.settings import SECONDS
from explorer.ui.jobs.job import Cost, Job

_MOST_KINDS = 200
_NEWEST_WEIGHT = 0.3  # of the latest job in a running mean: the machine may have been busy
# What tells how long a job takes. Only the quickest step does, on a machine that is busy.
_TELLING_STEPS, _TELLING_SECONDS = 3, 1.0
# A job that was thought to take less may take so many times what a question may.
_TOLERANCE = 1.5


class Rates:
    """Seconds of the device per unit of each kind of work."""

    def __init__(self) -> None:
        self._seconds: OrderedDict[Hashable, float] = OrderedDict()

    def estimate(self, cost: Cost | None) -> float:
        """How long work of this cost takes, in seconds; 0 if no such work was done before."""
        return 0.0 if cost is None else self._seconds.get(cost.kind, 0.0) * cost.units

    def learn(self, job: Job[Any]) -> None:
        """Note how long the steps of a finished or a cancelled job took."""
        done, steps = job.progress
        if job.cost is None or not done:
            return
        each = median(job.step_seconds) if job.step_seconds else job.seconds_used / done
        kind, newest = job.cost.kind, each * steps / job.cost.units
        before = self._seconds.pop(kind, newest)
        self._seconds[kind] = before + _NEWEST_WEIGHT * (newest - before)
        while len(self._seconds) > _MOST_KINDS:
            self._seconds.popitem(last=False)


def check_time(job: Job[Any]) -> None:
    """Raise :class:`UserError` if a question needs more time than it may take.

    Jobs in the background are no questions. A job is judged by its estimate before it starts or,
    if there is none, by its first steps, and is stopped in any case when it takes far too long.
    """
    if job.background:
        return
    done, steps = job.progress
    seconds, most = job.estimate, float(SECONDS.value)
    if job.seconds_used > _TOLERANCE * most:
        seconds = job.seconds_used + job.seconds_left
    elif not job.estimate:
        timed = len(job.step_seconds) >= _TELLING_STEPS and job.seconds_used >= _TELLING_SECONDS
        seconds = job.seconds_used + min(job.step_seconds) * (steps - done) if timed else 0.0
    if seconds > most:
        raise UserError(
            f"this would take about {duration(seconds)}, and a question may take "
            f"{duration(most)} of this machine; choose fewer steps, fewer restarts or a smaller "
            f"classifier. Whoever runs this explorer can allow more with {SECONDS.name}"
        )


def allowed_seconds_left(job: Job[Any]) -> float:
    """How long a job may still need the device: a question is stopped that takes too long."""
    if job.background:
        return job.seconds_left
    return min(job.seconds_left, max(0.0, SECONDS.value - job.seconds_used))


def duration(seconds: float) -> str:
    """ "40 s", "2.3 min" or "12 min", rounded up, so that what is too much does not seem enough."""
    if seconds < 100:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 6) / 10
    return f"{minutes:g} min" if minutes < 10 else f"{math.ceil(minutes)} min"
