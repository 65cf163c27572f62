"""Jobs that share a device step by step. Nothing here calls Streamlit.

Each job has a thread, and one job at a time has the turn: it computes while the others wait. Before
each of its steps a job gives the turn to the job that needs the least time, if that is another one.
So a short attack does not wait for a long one, and attacks of one length run one after the other. A
job that has waited for long gets one step in between, so that none starves.

A session has at most one job at each place of its pages: a new one cancels the one before it.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar

from explorer.ui.jobs.job import Job

T = TypeVar("T")
LONGEST_PAUSE = 2.0  # seconds that a job waits for its next step, if steps are short
_CLOSING_TIMEOUT = 5.0  # seconds


class Worker:
    """The turn on one device, and the jobs that want it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = threading.Condition()
        self._jobs: list[Job[Any]] = []  # unfinished, in the order of submission
        self._turn: Job[Any] | None = None
        self._turn_began = 0.0
        self._last_turn: dict[Job[Any], float] = {}  # when each last had it, or was submitted
        self._latest: dict[str, Job[Any]] = {}  # by owner
        # A daemon thread that is inside torch when the interpreter ends makes the process abort.
        atexit.register(self.close)

    def submit(self, owner: str, key: Hashable, work: Callable[[Job[T]], T]) -> Job[T]:
        """The next job of ``owner``, which cancels its job before.

        If that one has the same ``key`` it is returned instead of a new job, unless it was
        cancelled, or failed and the page has already shown that.
        """
        with self._changed:
            latest = self._latest.get(owner)
            if (
                latest is not None
                and latest.key == key
                and not latest.cancelled()
                and (latest.error is None or latest.awaited)
            ):
                return latest
            job = Job(owner, key, work)
            job.wait_for_turn = partial(self._wait_for_turn, job)
            job.on_cancel = self._wake
            self._latest[owner] = job
            self._jobs.append(job)
            self._last_turn[job] = time.monotonic()
        if latest is not None:
            latest.cancel()
        name = f"worker-{self._name}"
        threading.Thread(target=self._run, args=(job,), name=name, daemon=True).start()
        return job

    def ahead(self, job: Job[Any]) -> tuple[int, float]:
        """How many jobs get the turn before this one, and how long they need it, in seconds."""
        with self._changed:
            if self._turn is job or job not in self._jobs:
                return 0, 0.0
            before = [each for each in self._jobs if self._order(each) < self._order(job)]
            return len(before), sum(each.seconds_left for each in before)

    def forget(self, owner: str) -> None:
        """Cancel the job of ``owner`` and drop every reference to it."""
        with self._changed:
            latest = self._latest.pop(owner, None)
        if latest is not None:
            latest.cancel()

    def close(self) -> None:
        """Cancel every job and wait until they have stopped."""
        with self._changed:
            jobs = list(self._jobs)
        for job in jobs:
            job.cancel()
        for job in jobs:
            job.wait(_CLOSING_TIMEOUT)

    def _run(self, job: Job[Any]) -> None:
        self._wait_for_turn(job)
        job.run()
        with self._changed:
            self._jobs.remove(job)
            del self._last_turn[job]
            if self._turn is job:
                self._give(self._next())

    def _wait_for_turn(self, job: Job[Any]) -> None:
        """Return when ``job`` has the turn, or is cancelled, which needs none."""
        with self._changed:
            if self._turn is job:
                job.seconds_used += time.monotonic() - self._turn_began
            if self._turn in (job, None):
                self._give(self._next())
            while self._turn is not job and not job.cancelled():
                self._changed.wait()

    def _next(self) -> Job[Any] | None:
        """The job that the turn should go to now."""
        wanting = [each for each in self._jobs if not each.cancelled()]
        if not wanting:
            return None
        longest = min(wanting, key=self._last_turn.__getitem__)
        if longest is not self._turn and self._paused(longest) > LONGEST_PAUSE:
            return longest
        return min(wanting, key=self._order)

    def _order(self, job: Job[Any]) -> tuple[float, bool, float]:
        """Jobs with the lowest come first; among equals the one that has the turn."""
        return job.seconds_left, job is not self._turn, job.submitted

    def _paused(self, job: Job[Any]) -> float:
        return time.monotonic() - self._last_turn[job]

    def _give(self, job: Job[Any] | None) -> None:
        now = time.monotonic()
        if self._turn in self._last_turn:
            self._last_turn[self._turn] = now
        self._turn, self._turn_began = job, now
        if job is not None:
            self._last_turn[job] = now
        self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
