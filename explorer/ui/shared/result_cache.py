"""Responses of recent attacks, so that a slider moved back shows its result at once.

All sessions share them: an attack can be repeated and has the same result for everyone.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable

from explorer.ui.shared.attack_request import AttackResponse

CAPACITY = 48  # responses; one for a photograph takes a few megabytes


class ResultCache:
    """The last ``capacity`` responses by key; the least recently used one is dropped first."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._responses: dict[Hashable, AttackResponse] = {}  # the least recently used one first
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> AttackResponse | None:
        """The response, or None if it is not in the cache."""
        with self._lock:
            response = self._responses.pop(key, None)
            if response is not None:
                self._responses[key] = response
            return response

    def put(self, key: Hashable, response: AttackResponse) -> None:
        """Add or replace a response."""
        with self._lock:
            self._responses.pop(key, None)
            self._responses[key] = response
            while len(self._responses) > self._capacity:
                self._responses.pop(next(iter(self._responses)))


RESULT_CACHE = ResultCache()
