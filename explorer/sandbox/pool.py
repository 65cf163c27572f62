"""A few reading processes of one kind, started when they are needed and used again."""

from __future__ import annotations

import atexit
import os
import threading

from explorer.errors import Cancelled
from explorer.sandbox.limits import Limits
from explorer.sandbox.messages import Message
from explorer.sandbox.process import Cancel, Process, Refused

_LOOK = 0.02  # seconds between two looks at the cancel callback
_IDLE = 300.0  # seconds


class Pool:
    """At most ``size`` processes that answer with ``handler``, which is ``MODULE:FUNCTION``.

    A request waits while all of them are busy, so a slow file delays others for no longer than its
    own limit. Nothing is started before the first request or :meth:`warm`, and processes without a
    request for ``idle`` seconds end. They may start threads if ``threads`` says so.
    """

    def __init__(
        self, handler: str, size: int, idle: float = _IDLE, *, threads: bool = False
    ) -> None:
        self._handler, self._size, self._idle_seconds = handler, size, idle
        self._threads = threads
        self._lock = threading.Lock()
        self._reset()
        if hasattr(os, "register_at_fork"):
            # The pipes belong to the parent: two processes must not share a conversation.
            os.register_at_fork(after_in_child=self._reset)
        atexit.register(self.close)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(self._size)
        self._idle: list[Process] = []
        self._timer: threading.Timer | None = None

    def warm(self) -> None:
        """Start a process in the background if there is none, so that the first file needn't."""
        with self._lock:
            if any(process.alive for process in self._idle):
                return
            if not self._turns.acquire(blocking=False):  # all are at work
                return
            self._idle.append(Process(self._handler, self._threads))
            self._turns.release()
        self._end_when_idle()

    def ask(self, request: Message, limits: Limits, cancelled: Cancel | None = None) -> Message:
        """The reply to ``request``.

        Raises :class:`~explorer.sandbox.process.Refused` with the handler's sentence,
        :class:`~explorer.sandbox.process.ReadingFailed`, and
        :class:`~explorer.errors.Cancelled` when ``cancelled()`` returned true.
        """
        self._wait_for_turn(cancelled)
        try:
            return self._ask(self._take(), request, limits, cancelled)
        finally:
            self._turns.release()
            self._end_when_idle()

    def close(self) -> None:
        """End the processes that wait for requests."""
        with self._lock:
            processes, self._idle = self._idle, []
        for process in processes:
            process.close()

    def _end_when_idle(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(self._idle_seconds, self.close)
            self._timer.daemon = True
            self._timer.start()

    def _ask(
        self, process: Process, request: Message, limits: Limits, cancelled: Cancel | None
    ) -> Message:
        keep = False
        try:
            reply = process.ask(request, limits, cancelled)
            keep = True
            return reply
        except Refused:
            keep = True
            raise
        finally:
            if keep:
                with self._lock:
                    self._idle.append(process)
            else:
                process.end()

    def _wait_for_turn(self, cancelled: Cancel | None) -> None:
        """Raises :class:`~explorer.errors.Cancelled`, and has no turn then."""
        if cancelled is None:
            self._turns.acquire()
            return
        while not cancelled():
            if self._turns.acquire(timeout=_LOOK):
                return
        raise Cancelled

    def _take(self) -> Process:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.alive:
                    return process
                process.end()
        return Process(self._handler, self._threads)
