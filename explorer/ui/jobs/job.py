"""Submitted work: how far it is, and how it ended."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from statistics import median
from typing import Any, Generic, TypeVar

from explorer.errors import Cancelled
from explorer.ui.components.errors import error_text

T = TypeVar("T")
_REMEMBERED = 7  # steps whose times are kept: one that was disturbed counts for little


@dataclass(frozen=True)
class Cost:
    """How much work a job is: so many ``units`` of a ``kind``, all of which take about as long.

    An attack has one unit for each step of each restart, of a kind for its classifier.
    """

    kind: Hashable
    units: int


class Job(Generic[T]):
    """Submitted work. It ends with a ``result``, an ``error`` (the text for the visitor), or
    cancelled.

    ``session`` is the visitor's and ``background`` says that nobody waits for the result.
    ``progress`` is (steps done, steps). ``preview`` is an intermediate result for the page; it is
    only ever replaced as a whole, so that reading it needs no lock. ``awaited`` is set while a page
    still has to show how the job ended. ``seconds_used`` is the time for which it has had the
    device, ``seconds_waited`` that for which it has waited for it, and ``estimate`` what it was
    thought to need before its first step, and ``least`` what it was to need at least, 0 if nothing
    was known. The worker sets ``wait_for_turn``.
    """

    def __init__(
        self,
        key: Hashable,
        work: Callable[[Job[T]], T],
        *,
        session: str = "",
        background: bool = False,
        cost: Cost | None = None,
        estimate: float = 0.0,
        least: float = 0.0,
    ) -> None:
        self.key, self._work = key, work
        self.session, self.background, self.cost = session, background, cost
        self.estimate, self.least = estimate, least
        self.result: T | None = None
        self.error: str | None = None
        self.progress: tuple[int, int] = (0, 0)
        self.preview: Any = None
        self.awaited = False
        self.seconds_used = self.seconds_waited = 0.0
        self.step_seconds: deque[float] = deque(maxlen=_REMEMBERED)  # of the latest steps
        self._timed = (0, 0.0)  # steps and seconds used when the steps were last timed
        self.wait_for_turn: Callable[[], None] = lambda: None
        self.on_cancel: Callable[[], None] = lambda: None
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
        self.on_cancel()

    def cancelled(self) -> bool:
        """Whether :meth:`cancel` was called."""
        return self._cancel.is_set()

    def next_step(self) -> bool:
        """Wait until the device is free for the next step; whether the job was cancelled.

        The work calls it before each step, as its ``cancelled`` callback. What it does before the
        first call may go on beside other jobs. Raises :class:`~explorer.errors.UserError` when the
        job turns out to need more time than a question may take.
        """
        self.wait_for_turn()
        return self.cancelled()

    def on_step(self, done: int, steps: int, loss: float) -> None:
        """The progress callback for an attack."""
        self.progress = (done, steps)

    @property
    def seconds_left(self) -> float:
        """How long the job still needs the device: by its steps so far, else by its estimate."""
        done, steps = self.progress
        if self.step_seconds:
            return median(self.step_seconds) * (steps - done)
        return max(self.estimate - self.seconds_used, 0.0) if self.estimate else self.seconds_used

    def count_turn(self, seconds: float) -> None:
        """Add the time of a turn, and note what the steps since the last call took.

        The first step is left out: it makes kernels, and says little about the others.
        """
        self.seconds_used += seconds
        done, (timed, used) = self.progress[0], self._timed
        if done > timed:
            if timed:
                self.step_seconds.append((self.seconds_used - used) / (done - timed))
            self._timed = done, self.seconds_used

    def wait(self, seconds: float) -> bool:
        """Wait for the end, at most ``seconds``; returns whether the job has finished."""
        return self._finished.wait(seconds)

    def run(self) -> None:
        """Do the work on the calling thread. Never raises an ``Exception``."""
        from explorer.engine import pausing  # imports torch, and a page shows text before that

        try:
            if not self.cancelled():
                with pausing(self._pause):
                    self.result = self._work(self)
        except Cancelled:
            self.cancel()
        except Exception as error:
            self.error = error_text(error)

    def _pause(self) -> None:
        """Within a long step: let other jobs have the device, and stop if this one is cancelled."""
        if self.next_step():
            raise Cancelled

    def finish(self) -> None:
        """Let those know who wait for the end."""
        self._finished.set()
