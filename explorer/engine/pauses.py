"""Pauses within a long evaluation, for programs in which several of them share a device."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_local = threading.local()


@contextmanager
def pausing(function: Callable[[], None]) -> Iterator[None]:
    """In the block, call ``function()`` between the chunks of each evaluation of this thread.

    It may wait until others have had the device, and it may raise an exception, which ends the
    evaluation.
    """
    before = getattr(_local, "function", None)
    _local.function = function
    try:
        yield
    finally:
        _local.function = before


def pause() -> None:
    """A point at which the calling thread's evaluation may wait."""
    function: Callable[[], None] | None = getattr(_local, "function", None)
    if function is not None:
        function()
