"""Which job has the turn next: the shortest first, each session its share, and nobody forgotten."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from explorer.ui.jobs.job import Job

# Seconds of waiting that outweigh a second of work: a question of ten seconds goes before a new one
# of one second once it has waited for 45 seconds.
WAITING_PER_WORK = 5.0
HALF_LIFE = 10.0  # seconds after which half of what a session has used is forgotten
_NEGLIGIBLE = 1e-3  # seconds


class Usage:
    """The device time of each session's finished jobs; what is long ago counts less."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: dict[str, tuple[float, float]] = {}  # seconds, and when they were counted

    def of(self, session: str) -> float:
        """Seconds that this session has used lately."""
        seconds, counted = self._used.get(session, (0.0, 0.0))
        return seconds * math.exp2((counted - self._clock()) / HALF_LIFE)

    def add(self, session: str, seconds: float) -> None:
        """Count a finished job."""
        self._used[session] = self.of(session) + seconds, self._clock()
        for forgotten in [each for each in self._used if self.of(each) < _NEGLIGIBLE]:
            del self._used[forgotten]


def rank(job: Job[Any], used: float, waited: float, has_turn: bool) -> tuple[bool, float, bool]:
    """The place in the order: the least rank is first.

    ``used`` are the seconds that the job's session has used lately, and ``waited`` those for which
    the job has waited. Jobs in the background come after all others. Among equals the one that has
    the turn keeps it.
    """
    return job.background, job.seconds_left + used - waited / WAITING_PER_WORK, not has_turn
