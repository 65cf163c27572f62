"""Who asks: each browser session's way to the worker of the device."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

if TYPE_CHECKING:
    from explorer.ui.worker import Job, Worker

T = TypeVar("T")


@st.cache_resource(show_spinner=False)
def worker(device: str) -> Worker:
    """The one worker of a device, for all sessions."""
    from explorer.ui.worker import Worker

    return Worker(device)


class Lane:
    """A session's lane to the worker; closed by Streamlit when the browser goes away."""

    def __init__(self, device: str) -> None:
        self.id = uuid.uuid4().hex
        self.worker = worker(device)

    def submit(self, key: Hashable, work: Callable[[Job[T]], T]) -> Job[T]:
        return self.worker.submit(self.id, key, work)

    def close(self) -> None:
        self.worker.forget(self.id)


@st.cache_resource(scope="session", on_release=Lane.close, show_spinner=False)
def lane(device: str = "auto") -> Lane:
    """This session's lane."""
    return Lane(device)
