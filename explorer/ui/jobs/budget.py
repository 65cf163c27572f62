"""How long jobs will take, as learned from earlier ones, and how long a question may take."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from explorer.errors import UserError
from explorer.settings import SECONDS
from explorer.ui.jobs.job import Cost, Job

_MOST_KINDS = 200
_NEWEST_WEIGHT = 0.3  # of the latest job in a running mean: the machine may have been busy
# The first steps of a job make kernels and tell little about the others.
_TELLING_STEPS, _TELLING_SECONDS = 3, 1.0


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
        kind, newest = job.cost.kind, job.seconds_used / (job.cost.units * done / steps)
        before = self._seconds.pop(kind, newest)
        self._seconds[kind] = before + _NEWEST_WEIGHT * (newest - before)
        while len(self._seconds) > _MOST_KINDS:
            self._seconds.popitem(last=False)


def check_time(job: Job[Any]) -> None:
    """Raise :class:`UserError` if a question needs more time than it may take.

    Jobs in the background are no questions. A job is judged by its estimate before it starts, and
    once some steps have been timed, by these.
    """
    timed = job.progress[0] >= _TELLING_STEPS and job.seconds_used >= _TELLING_SECONDS
    if job.background or not (timed or (job.estimate and not job.progress[0])):
        return
    seconds, most = job.seconds_used + job.seconds_left, SECONDS.value
    if seconds > most:
        raise UserError(
            f"this would take about {duration(seconds)}, and a question may take "
            f"{duration(most)} of this machine; choose fewer steps, fewer restarts or a smaller "
            f"classifier. Whoever runs this explorer can allow more with {SECONDS.name}"
        )


def duration(seconds: float) -> str:
    """ "40 s" or "12 min"."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
