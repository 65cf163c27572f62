"""Responses of recent attacks, so that a slider moved back shows its result at once.

All sessions share those of sample pictures: an attack can be repeated and has the same result for
everyone. A session's own are in its state, and go with it.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

import streamlit as st

from explorer.ui.shared.attack_request import AttackResponse

T = TypeVar("T")
CAPACITY = 48  # responses to attacks; one for a photograph takes a few megabytes
OWN_CAPACITY = 12  # of one session


class ResultCache(Generic[T]):
    """The last ``capacity`` results by key; the least recently used one is dropped first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._results: dict[Hashable, T] = {}  # the least recently used one first
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> T | None:
        """The result, or None if it is not in the cache."""
        with self._lock:
            result = self._results.pop(key, None)
            if result is not None:
                self._results[key] = result
            return result

    def put(self, key: Hashable, result: T) -> None:
        """Add or replace a result."""
        with self._lock:
            self._results.pop(key, None)
            self._results[key] = result
            while len(self._results) > self._capacity:
                self._results.pop(next(iter(self._results)))


RESULT_CACHE: ResultCache[AttackResponse] = ResultCache()


def results_of(
    shared: ResultCache[T], name: str, *, is_own: bool, capacity: int = OWN_CAPACITY
) -> ResultCache[T]:
    """Where results called ``name`` are kept: with all sessions', in ``shared``, or with the
    visitor's own in the session, which other sessions have no use for: there up to ``capacity``.
    """
    if not is_own:
        return shared
    own: ResultCache[T] = st.session_state.setdefault(f"own {name}", ResultCache(capacity))
    return own
