"""One reading process, seen from the process that waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn

from explorer.errors import Cancelled, UserError
from explorer.sandbox.limits import Limits
from explorer.sandbox.messages import Message, PipeClosed, receive, send

Cancel = Callable[[], bool]
_ROOT = Path(__file__).resolve().parents[2]
_STARTING = 60.0  # seconds for the imports, on a machine that is busy
_LOOK = 0.02  # seconds between two looks at the clock and at the cancel callback
_PIPE_SIZE = 2**20
_CLOSING = 1.0


class Refused(UserError):
    """The handler's own :class:`~explorer.errors.UserError`, by its text."""


class ReadingFailed(Exception):
    """The file took too long ("time"), too much memory ("memory"), or ended the process
    ("crash").
    """

    def __init__(self, reason: Literal["time", "memory", "crash"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Process:
    """A process that answers with ``handler``, which is ``MODULE:FUNCTION``.

    ``threads``: whether it may start some.
    """

    def __init__(self, handler: str, threads: bool = False) -> None:
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONSAFEPATH": "1",  # the current folder may hold anything
            "OMP_NUM_THREADS": "1",
        }
        command = [sys.executable, "-W", "ignore", "-m", "explorer.sandbox.child", handler]
        command += ["threads"] if threads else []
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
            )
        except OSError as error:
            raise UserError(
                f"the process that reads files can't be started ({error.strerror}); close other "
                "programs and try again"
            ) from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests: BinaryIO = self._process.stdin  # type: ignore[assignment]
        self._replies: BinaryIO = self._process.stdout  # type: ignore[assignment]
        self._widen()
        self._is_ready = False
        self._ended_for: Literal["time", "cancelled"] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can take a request, as far as is known."""
        return self._process.poll() is None

    def ask(self, request: Message, limits: Limits, cancelled: Cancel | None = None) -> Message:
        """The reply to ``request``.

        Raises :class:`Refused`, :class:`ReadingFailed`, and :class:`~explorer.errors.Cancelled`
        when ``cancelled()`` returned true.
        """
        try:
            self._wait_until_ready(cancelled)
            values = {**request.values, "limits": asdict(limits)}
            with self._watched(limits.patience, cancelled):
                send(self._requests, Message(values, request.data, request.size))
                reply = receive(self._replies, limits.reply)
        except PipeClosed:
            self.end()
            self._raise_why_it_ended()
        if "refused" in reply.values:
            raise Refused(str(reply.values["refused"]))
        if "failed" in reply.values:
            raise ReadingFailed("memory")
        if "bug" in reply.values:
            raise RuntimeError("a reading process failed; the log has its stack")
        return reply

    def end(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._close_pipes()

    def close(self) -> None:
        """Let it end, which it does when its pipe is closed."""
        with suppress(OSError):
            self._requests.close()
        try:
            self._process.wait(_CLOSING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._requests, self._replies):
            with suppress(OSError):  # what is still in the buffer of a broken pipe
                pipe.close()

    def _widen(self) -> None:
        if sys.platform == "linux":
            import fcntl

            for pipe in (self._requests, self._replies):
                with suppress(OSError):  # the user's share of pipe buffers is used up
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)

    def _wait_until_ready(self, cancelled: Cancel | None) -> None:
        """Its imports count neither as time nor as memory of a file."""
        if not self._is_ready:
            with self._watched(_STARTING, cancelled):
                receive(self._replies, 0)
            self._is_ready = True

    @contextmanager
    def _watched(self, seconds: float, cancelled: Cancel | None) -> Iterator[None]:
        """Kill the process after ``seconds`` and when ``cancelled()`` returns true.

        The pipe is then closed, which ends the reading of it in the block.
        """
        finished = threading.Event()
        deadline = time.monotonic() + seconds

        def watch() -> None:
            while not finished.wait(_LOOK if cancelled else max(0, deadline - time.monotonic())):
                if cancelled is not None and cancelled():
                    self._ended_for = "cancelled"
                elif time.monotonic() >= deadline:
                    self._ended_for = "time"
                if self._ended_for:
                    self._process.kill()
                    return

        watcher = threading.Thread(target=watch, name="reading watch", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            finished.set()
            watcher.join()

    def _raise_why_it_ended(self) -> NoReturn:
        if self._ended_for == "cancelled":
            raise Cancelled from None
        if not self._is_ready and not self._ended_for:
            raise UserError(
                "the process that reads files ended while it started, perhaps for want of memory; "
                "close other programs and try again"
            ) from None
        clock = getattr(signal, "SIGPROF", None)
        by_clock = clock is not None and self._process.returncode == -clock
        raise ReadingFailed("time" if self._ended_for or by_clock else "crash") from None
