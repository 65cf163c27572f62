"""Jobs that share a device step by step. Nothing here calls Streamlit.

Each job has a thread, and one job at a time has the turn: it computes while the others wait. Before
each of its steps a job gives the turn to the first in the order of ``order.py``. So a short attack
does not wait for a long one, and attacks of one length run one after the other.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from explorer.ui.jobs.budget import Rates, allowed_seconds_left, check_time
from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.order import Usage, rank

T = TypeVar("T")
# A question gets a step out of its order when it has waited so many seconds: so a long one goes on
# too. But one such step for all, every half second: with twenty people waiting, each would
# otherwise get a step in turn, and all the answers come last.
LONGEST_PAUSE, STEP_OUT_OF_ORDER = 2.0, 0.5
_CLOSING_TIMEOUT = 1.5  # seconds: the process must end soon after it is asked to


@dataclass(frozen=True)
class _Place:
    """A job that waits for the turn: since when, and what wakes its thread alone."""

    since: float
    woken: threading.Condition


@dataclass(frozen=True)
class Statistics:
    """Jobs that wait for the turn, have it, and have finished; the device time of the latter."""

    waiting: int
    running: int
    finished: int
    seconds: float


class Worker:
    """The turn on one device, and the jobs that want it.

    An owner, such as a place on a visitor's page, has at most one job: a new one cancels the one
    before it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.RLock()
        self._jobs: list[Job[Any]] = []  # unfinished, in the order of submission
        self._waiting: dict[Job[Any], _Place] = {}
        self._turn: Job[Any] | None = None
        self._turn_began = 0.0
        self._latest: dict[str, Job[Any]] = {}  # by owner
        self._usage, self._rates = Usage(), Rates()
        self._finished, self._finished_seconds = 0, 0.0
        # A daemon thread that is inside torch when the interpreter ends makes the process abort.
        atexit.register(self.close)

    def submit(
        self,
        owner: str,
        key: Hashable,
        work: Callable[[Job[T]], T],
        *,
        session: str = "",
        background: bool = False,
        cost: Cost | None = None,
    ) -> Job[T]:
        """The next job of ``owner``, which cancels its job before.

        If that one has the same ``key`` it is returned instead of a new job, unless it was
        cancelled, or failed and the page has already shown that. Raises
        :class:`~explorer.errors.UserError` if the job is known to need more time than a question
        may take.
        """
        with self._lock:
            latest = self._latest.get(owner)
            if (
                latest is not None
                and latest.key == key
                and not latest.cancelled()
                and (latest.error is None or latest.awaited)
            ):
                return latest
            job = Job(
                key,
                work,
                session=session,
                background=background,
                cost=cost,
                estimate=self._rates.estimate(cost),
                least=self._rates.least(cost),
            )
            check_time(job)
            job.wait_for_turn = partial(self._wait_for_turn, job)
            job.on_cancel = partial(self._wake, job)
            self._latest[owner] = job
            self._jobs.append(job)
        if latest is not None:
            latest.cancel()
        name = f"worker-{self._name}"
        threading.Thread(target=self._run, args=(job,), name=name, daemon=True).start()
        return job

    def estimate(self, cost: Cost) -> float:
        """How many seconds a job will need the device, by earlier ones; 0 if nothing is known."""
        return self._rates.estimate(cost)

    def ahead(self, job: Job[Any]) -> tuple[int, float]:
        """How many jobs get the turn before this one, and how long they need it, in seconds."""
        with self._lock:
            if self._turn is job or job not in self._jobs:
                return 0, 0.0
            own = self._rank(job)
            others = [each for each in self._jobs if not each.cancelled()]
            before = [each for each in others if self._rank(each) < own]
            return len(before), sum(map(allowed_seconds_left, before))

    def statistics(self) -> Statistics:
        """Figures for those who run the server."""
        with self._lock:
            running = int(self._turn is not None)
            waiting = len(self._jobs) - running
            return Statistics(waiting, running, self._finished, self._finished_seconds)

    def forget(self, owner: str) -> None:
        """Cancel the job of ``owner`` and drop every reference to it."""
        with self._lock:
            latest = self._latest.pop(owner, None)
        if latest is not None:
            latest.cancel()

    def close(self) -> None:
        """Cancel every job and wait until they have stopped."""
        with self._lock:
            jobs = list(self._jobs)
        for job in jobs:
            job.cancel()
        deadline = time.monotonic() + _CLOSING_TIMEOUT
        for job in jobs:
            job.wait(max(0.0, deadline - time.monotonic()))

    def _run(self, job: Job[Any]) -> None:
        job.run()
        with self._lock:
            self._count_turn(job)
            self._jobs.remove(job)
            self._finished += 1
            self._finished_seconds += job.seconds_used
            if not job.background:  # it only had what nobody else wanted
                self._usage.add(job.session, job.seconds_used)
            self._rates.learn(job)
            if self._turn is job:
                self._give(self._next())
        job.finish()

    def _wait_for_turn(self, job: Job[Any]) -> None:
        """Return when ``job`` has the turn, or is cancelled, which needs none."""
        with self._lock:
            place = self._waiting[job] = _Place(time.monotonic(), threading.Condition(self._lock))
            self._count_turn(job)
            try:
                if self._turn in (job, None):
                    self._give(self._next())
                while self._turn is not job and not job.cancelled():
                    place.woken.wait()
            finally:
                del self._waiting[job]
                job.seconds_waited += time.monotonic() - place.since
        check_time(job)

    def _count_turn(self, job: Job[Any]) -> None:
        """Add the time since the turn began to what ``job`` has used."""
        if self._turn is job:
            now = time.monotonic()
            job.count_turn(now - self._turn_began)
            self._turn_began = now

    def _next(self) -> Job[Any] | None:
        """The job that the turn should go to now."""
        wanting = [each for each in self._waiting if not each.cancelled()]
        if not wanting:
            return None
        questions = [each for each in wanting if not each.background]
        if questions:
            longest = min(questions, key=lambda each: self._waiting[each].since)
            pause = max(LONGEST_PAUSE, STEP_OUT_OF_ORDER * len(questions))
            if time.monotonic() - self._waiting[longest].since > pause:
                return longest
        return min(wanting, key=self._rank)

    def _rank(self, job: Job[Any]) -> tuple[bool, float, bool]:
        place = self._waiting.get(job)
        waited = job.seconds_waited + (0.0 if place is None else time.monotonic() - place.since)
        return rank(job, self._usage.of(job.session), waited, self._turn is job)

    def _give(self, job: Job[Any] | None) -> None:
        self._turn, self._turn_began = job, time.monotonic()
        if job is not None:
            self._wake(job)

    def _wake(self, job: Job[Any]) -> None:
        with self._lock:
            if (place := self._waiting.get(job)) is not None:
                place.woken.notify()
