"""Each browser session's access to the worker of a device."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.metrics import publish
from explorer.ui.jobs.worker import Worker

T = TypeVar("T")


# Not a cache of Streamlit's, which every visitor's browser can ask it to clear: there would be two
# workers on one device.
_workers: dict[str, Worker] = {}
_lock = threading.Lock()


def worker(device: str) -> Worker:
    """The one worker of a device, for all sessions."""
    with _lock:
        if device not in _workers:
            _workers[device] = Worker(device)
            publish(device, _workers[device])
        return _workers[device]


class SessionJobs:
    """A session's jobs, one for each place on its pages. Streamlit closes it with the session."""

    def __init__(self, device: str) -> None:
        self.id = uuid.uuid4().hex
        self.worker = worker(device)
        self._places: set[str] = set()

    def submit(
        self,
        place: str,
        key: Hashable,
        work: Callable[[Job[T]], T],
        *,
        background: bool = False,
        cost: Cost | None = None,
    ) -> Job[T]:
        """The next job of ``place``; the one before it there is cancelled.

        Raises :class:`~explorer.errors.UserError` if it would take longer than a question may.
        """
        self._places.add(place)
        return self.worker.submit(
            self._owner(place), key, work, session=self.id, background=background, cost=cost
        )

    def cancel(self, place: str) -> None:
        """Cancel and forget the job of ``place``."""
        self.worker.forget(self._owner(place))

    def close(self) -> None:
        """Cancel and forget all jobs."""
        for place in self._places:
            self.worker.forget(self._owner(place))

    def _owner(self, place: str) -> str:
        return f"{self.id} {place}"


@st.cache_resource(scope="session", on_release=SessionJobs.close, show_spinner=False)
def session_jobs(device: str = "auto") -> SessionJobs:
    """This session's jobs on ``device``."""
    return SessionJobs(device)
