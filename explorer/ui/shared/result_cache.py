"""Answers already given: a slider moved back shows its picture at once. Attacks are repeatable, so they are the same for everybody."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from explorer.ui.shared.attack_request import AttackResponse

MOST = 48  # an answer for a photograph takes a few megabytes


class ResultCache:
    """The last answers by question; the one not asked for the longest time makes room."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: dict[Hashable, AttackResponse] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> AttackResponse | None:
        """The answer, if it was given lately."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is not None:
                self._kept[key] = found
            return found

    def put(self, key: Hashable, answer: AttackResponse) -> None:
        """Keep an answer."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = answer
            while len(self._kept) > self._most:
                self._kept.pop(next(iter(self._kept)))


RESULT_CACHE = ResultCache()
