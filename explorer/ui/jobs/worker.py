"""The thread that runs attacks: one per device, shared by all sessions. Nothing here knows of Streamlit.

A session has at most one job: a new one cancels the one before it, and keeps that one's place in the queue when it was
still waiting. Sessions are served in the order in which they came.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from explorer.attacks import AttackError
from explorer.classifiers import ClassifierError
from explorer.errors import Cancelled, UserError
from explorer.images.decode import ImageError

T = TypeVar("T")
_LOGGER = logging.getLogger(__name__)
_CLOSING = 5.0  # seconds


class Refused(UserError):
    """Work that can't be done as asked, for a reason of its own; the message says what is wrong and what to do."""


_SAYS_WHAT_IS_WRONG = (AttackError, ClassifierError, ImageError, Refused)


class Job(Generic[T]):
    """Work that was handed in. ``result`` is there when ``done``, ``error`` (one sentence) when it failed. ``shown`` is what the
    work shows of itself while it runs: always replaced as a whole, so that whoever looks needs no lock."""

    def __init__(self, session: str, key: Hashable, work: Callable[[Job[T]], T]) -> None:
        self.session, self.key, self._work = session, key, work
        self.result: T | None = None
        self.error: str | None = None
        self.progress: tuple[int, int] = (0, 0)
        self.shown: Any = None
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
        return self.finished and self.error is None and not self._cancel.is_set()

    def cancel(self) -> None:
        """Ask it to stop; it does so before its next step."""
        self._cancel.set()

    def cancelled(self) -> bool:
        return self._cancel.is_set()

    def on_step(self, done: int, steps: int, loss: float) -> None:
        """The attack's progress call-back."""
        self.progress = (done, steps)

    @property
    def waited(self) -> float:
        """Seconds from when it was handed in until the worker took it."""
        return 0.0 if self.started is None else self.started - self.submitted

    def wait(self, seconds: float) -> bool:
        """Wait until it has finished, at most so long; says whether it has."""
        return self._finished.wait(seconds)

    def run(self) -> None:
        """Do the work on the calling thread; never raises."""
        self.started = time.monotonic()
        try:
            if not self.cancelled():
                self.result = self._work(self)
        except Cancelled:
            self.cancel()
        except _SAYS_WHAT_IS_WRONG as error:
            self.error = str(error)
        except MemoryError:
            self.error = "There is not enough memory for this; use fewer steps, fewer restarts or a smaller classifier."
        except Exception as error:
            _LOGGER.exception("job %r failed", self.key)
            self.error = f"This failed unexpectedly: {type(error).__name__}: {error}"
        finally:
            self._finished.set()


class Worker:
    """A queue and the one thread that empties it."""

    def __init__(self, name: str) -> None:
        self._changed = threading.Condition()
        self._queue: list[Job[Any]] = []
        self._latest: dict[str, Job[Any]] = {}
        # A daemon thread that is inside torch when the interpreter ends makes the process abort.
        atexit.register(self.close)
        threading.Thread(target=self._serve, name=f"worker-{name}", daemon=True).start()

    def submit(self, session: str, key: Hashable, work: Callable[[Job[T]], T]) -> Job[T]:
        """Hand in the session's next job. When its latest job has the same ``key``, and did not fail, that one is returned."""
        with self._changed:
            latest = self._latest.get(session)
            if (
                latest is not None
                and latest.key == key
                and latest.error is None
                and not latest.cancelled()
            ):
                return latest
            job = Job(session, key, work)
            self._latest[session] = job
            if latest is not None:
                latest.cancel()
            if latest is not None and latest in self._queue:
                self._queue[self._queue.index(latest)] = job
                latest.run()  # marks it as finished, for whoever waits
            else:
                self._queue.append(job)
            self._changed.notify()
        return job

    def ahead(self, job: Job[Any]) -> int:
        """How many jobs of other sessions are waiting before this one."""
        with self._changed:
            return self._queue.index(job) if job in self._queue else 0

    def forget(self, session: str) -> None:
        """The session has ended: cancel its job and drop what is kept for it."""
        with self._changed:
            latest = self._latest.pop(session, None)
            if latest is not None:
                latest.cancel()
                if latest in self._queue:
                    self._queue.remove(latest)

    def close(self) -> None:
        """Cancel every job and wait until the one that runs has stopped."""
        with self._changed:
            self._queue.clear()
            jobs = list(self._latest.values())
        for job in jobs:
            job.cancel()
        for job in jobs:
            if job.started is not None:
                job.wait(_CLOSING)

    def _serve(self) -> None:
        while True:
            with self._changed:
                while not self._queue:
                    self._changed.wait()
                job = self._queue.pop(0)
            job.run()
