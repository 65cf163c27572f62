"""How long jobs will take, as learned from earlier ones, and how long a question may take."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
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
# Seconds after which a question is tried again that was too long for a busy machine.
FORGOTTEN = 30.0


@dataclass(frozen=True)
class _Rate:
    """Seconds per unit: a running mean, the least that was ever seen, and when it was learned."""

    mean: float
    least: float
    learned: float


class Rates:
    """Seconds of the device per unit of each kind of work."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rates: OrderedDict[Hashable, _Rate] = OrderedDict()

    def estimate(self, cost: Cost | None) -> float:
        """How long work of this cost takes, in seconds; 0 if no such work was done before."""
        rate = None if cost is None else self._rates.get(cost.kind)
        return 0.0 if cost is None or rate is None else rate.mean * cost.units

    def least(self, cost: Cost | None) -> float:
        """How long it takes at least, as far as is known: the machine may have been busy before.

        0 if nothing is known, or only what is long ago.
        """
        rate = None if cost is None else self._rates.get(cost.kind)
        if cost is None or rate is None or self._clock() - rate.learned > FORGOTTEN:
            return 0.0
        return rate.least * cost.units

    def learn(self, job: Job[Any]) -> None:
        """Note how long the steps of a finished or a cancelled job took."""
        done, steps = job.progress
        if job.cost is None or not done:
            return
        each = median(job.step_seconds) if job.step_seconds else job.seconds_used / done
        kind, newest = job.cost.kind, each * steps / job.cost.units
        before = self._rates.pop(kind, _Rate(newest, newest, 0.0))
        mean = before.mean + _NEWEST_WEIGHT * (newest - before.mean)
        self._rates[kind] = _Rate(mean, min(before.least, newest), self._clock())
        while len(self._rates) > _MOST_KINDS:
            self._rates.popitem(last=False)


def check_time(job: Job[Any]) -> None:
    """Raise :class:`UserError` if a question needs more time than it may take.

    Jobs in the background are no questions. A job is judged before it starts by the least that such
    jobs took lately or, if nothing is known, by its first steps. It is stopped in any case when it
    takes far too long.
    """
    if job.background:
        return
    done, steps = job.progress
    seconds, most = job.least, float(SECONDS.value)
    if job.seconds_used > _TOLERANCE * most:
        seconds = job.seconds_used + job.seconds_left
    elif not job.least:
        timed = len(job.step_seconds) >= _TELLING_STEPS and job.seconds_used >= _TELLING_SECONDS
        seconds = job.seconds_used + min(job.step_seconds) * (steps - done) if timed else 0.0
    if seconds > most:
        raise UserError(
            f"this would now take about {duration(seconds)}, and a question may take "
            f"{duration(most)} of this machine; ask again when it is less busy, or choose fewer "
            "steps, restarts, pictures or values of ε, or a smaller classifier. The operator of "
            f"this explorer can allow more with {SECONDS.name}"
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
