"""Who asks: each browser session's way to the worker of the device."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from explorer.ui.jobs.worker import Job, Worker

T = TypeVar("T")


@st.cache_resource(show_spinner=False)
def worker(device: str) -> Worker:
    """The one worker of a device, for all sessions."""
    from explorer.ui.jobs.worker import Worker

    return Worker(device)


class SessionJobs:
    """A session's lane to the worker, with one job for each place on its pages; closed by Streamlit when the browser goes."""

    def __init__(self, device: str) -> None:
        self.id = uuid.uuid4().hex
        self.worker = worker(device)
        self._places: set[str] = set()

    def submit(self, place: str, key: Hashable, work: Callable[[Job[T]], T]) -> Job[T]:
        """Hand in the next job of ``place``; the one before it there is cancelled."""
        self._places.add(place)
        return self.worker.submit(self._name(place), key, work)

    def cancel(self, place: str) -> None:
        """What is under way at ``place`` is not wanted any more."""
        self.worker.forget(self._name(place))

    def close(self) -> None:
        for place in self._places:
            self.worker.forget(self._name(place))

    def _name(self, place: str) -> str:
        return f"{self.id} {place}"


@st.cache_resource(scope="session", on_release=SessionJobs.close, show_spinner=False)
def session_jobs(device: str = "auto") -> SessionJobs:
    """This session's lane."""
    return SessionJobs(device)
