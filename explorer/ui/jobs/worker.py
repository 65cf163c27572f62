"""The thread that runs jobs: one per device, shared by all sessions. It never calls Streamlit.

A session has at most one job at each place of its pages: a new one cancels the one before it, and
takes over its position in the queue if that one was still waiting. Otherwise first come, first
served.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from explorer.errors import Cancelled
from explorer.ui.components.errors import error_text

T = TypeVar("T")
_CLOSING_TIMEOUT = 5.0  # seconds


class Job(Generic[T]):
    """Submitted work. It ends with a ``result``, an ``error`` (the text for the visitor), or
    cancelled.

    ``progress`` is (steps done, steps). ``preview`` is an intermediate result for the page; it is
    only ever replaced as a whole, so that reading it needs no lock. ``awaited`` is set while a page
    still has to show how the job ended.
    """

    def __init__(self, owner: str, key: Hashable, work: Callable[[Job[T]], T]) -> None:
        self.owner, self.key, self._work = owner, key, work
        self.result: T | None = None
        self.error: str | None = None
        self.progress: tuple[int, int] = (0, 0)
        self.preview: Any = None
        self.awaited = False
        self.submitted = time.monotonic()
        self.started: float | None = None
        self._cancel = threading.Event()
        self._finished = threading.Event()

    @property
    def finished(self) -> bool:
        """Done, failed or cancelled."""
        return self._finished.is_set()

    @property
    def done(self) -> bool:
        """Finished with a result."""
        return self.finished and self.error is None and not self._cancel.is_set()

    def cancel(self) -> None:
        """Ask the work to stop, which it does before its next step."""
        self._cancel.set()

    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called: the callback for the work."""
        return self._cancel.is_set()

    def on_step(self, done: int, steps: int, loss: float) -> None:
        """The progress callback for an attack."""
        self.progress = (done, steps)

    @property
    def waited(self) -> float:
        """Seconds between submission and start."""
        return 0.0 if self.started is None else self.started - self.submitted

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most ``seconds``; returns whether the job has finished."""
        return self._finished.wait(seconds)

    def run(self) -> None:
        """Do the work on the calling thread. Never raises an ``Exception``."""
        self.started = time.monotonic()
        try:
            if not self.cancelled():
                self.result = self._work(self)
        except Cancelled:
            self.cancel()
        except Exception as error:
            self.error = error_text(error)
        finally:
            self._finished.set()


class Worker:
    """A queue of jobs and the thread that runs them one after the other."""

    def __init__(self, name: str) -> None:
        self._changed = threading.Condition()
        self._queue: list[Job[Any]] = []
        self._latest: dict[str, Job[Any]] = {}  # by owner
        # A daemon thread that is inside torch when the interpreter ends makes the process abort.
        atexit.register(self.close)
        threading.Thread(target=self._serve, name=f"worker-{name}", daemon=True).start()

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
            self._latest[owner] = job
            if latest is not None:
                latest.cancel()
            if latest is not None and latest in self._queue:
                self._queue[self._queue.index(latest)] = job
                latest.run()  # marks the cancelled job as finished
            else:
                self._queue.append(job)
            self._changed.notify()
        return job

    def ahead(self, job: Job[Any]) -> int:
        """How many jobs wait in the queue before this one."""
        with self._changed:
            return self._queue.index(job) if job in self._queue else 0

    def forget(self, owner: str) -> None:
        """Cancel the job of ``owner`` and drop every reference to it."""
        with self._changed:
            latest = self._latest.pop(owner, None)
            if latest is not None:
                latest.cancel()
                if latest in self._queue:
                    self._queue.remove(latest)

    def close(self) -> None:
        """Cancel every job and wait until the running one has stopped."""
        with self._changed:
            self._queue.clear()
            jobs = list(self._latest.values())
        for job in jobs:
            job.cancel()
        for job in jobs:
            if job.started is not None:
                job.wait(_CLOSING_TIMEOUT)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                job = self._queue.pop(0)
            job.run()
