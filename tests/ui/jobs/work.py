"""Work for a worker: of steps that are recorded, that waits for a sign, or that fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from explorer.errors import Cancelled
from explorer.ui.jobs.job import Job

TIMEOUT = 10  # seconds


Work = Callable[[Job[str]], str]


def blocked(entered: threading.Event, leave: threading.Event) -> Callable[[Job[str]], str]:
    """Work like an attack: it goes on until ``leave`` is set or the job is cancelled."""

    def work(job: Job[str]) -> str:
        entered.set()
        while not leave.wait(0.005):
            if job.next_step():
                raise Cancelled
        return "left"

    return work


def failing(error: Exception) -> Callable[[Job[None]], None]:
    def work(job: Job[None]) -> None:
        raise error

    return work


class Steps:
    """Work of several steps. ``log`` has the names of the jobs whose steps were taken, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.computing = threading.Lock()

    def work(self, name: str, steps: int, begun: threading.Event | None = None) -> Work:
        def take(job: Job[str]) -> str:
            for step in range(steps):
                if job.next_step():
                    raise Cancelled
                assert self.computing.acquire(blocking=False), "two jobs compute at once"
                self.log.append(name)
                time.sleep(0.01)
                self.computing.release()
                job.progress = step + 1, steps
                if begun is not None:
                    begun.set()
            return name

        return take


def one_step(job: Job[str]) -> str:
    if job.next_step():
        raise Cancelled
    return "done"


def holding(entered: threading.Event, leave: threading.Event) -> Work:
    """Work of one step, which takes until ``leave`` is set."""

    def work(job: Job[str]) -> str:
        job.next_step()
        entered.set()
        leave.wait(TIMEOUT)
        return "done"

    return work
