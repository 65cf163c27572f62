"""The whole file, over as many connections as it takes.

What arrives is kept beside the file as ``NAME.part``, so that a fetch which broke or was stopped goes on where it was; when all of it
is there it is checked by length and SHA-256 and moved into place. Only one process at a time writes a part.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from filelock import FileLock, Timeout

from explorer.errors import Cancelled
from explorer.fetch.http import (
    Answer,
    ConnectionFailed,
    FetchError,
    RangeNotSatisfiable,
    Remote,
    ask,
    is_version,
)

OnBytes = Callable[[int, int | None], None]  # bytes so far, of how many if that is known
Cancel = Callable[[], bool]

_CHUNK = 2**18
_MB = 1_000_000
_CONNECTIONS = 5  # made by one call, each of which must bring something new
_MOST = 8_000_000_000  # bytes taken from a server that does not say how many there are


class _Broken(Exception):
    """A connection that ended before the file did."""


class _WrongBytes(FetchError):
    """What arrived is not the file, so that none of it is kept."""


def fetch(
    remote: Remote,
    path: Path,
    *,
    on_bytes: OnBytes = lambda done, total: None,
    cancelled: Cancel | None = None,
    timeout: float = 30.0,
) -> Path:
    """The file at ``path``, fetched from ``remote`` unless it is there.

    ``on_bytes(done, total)`` follows it; ``cancelled()`` is asked for each piece, and :class:`Cancelled` raised when it says so;
    ``timeout`` is the longest silence in seconds. Raises :class:`FetchError` when it can't be fetched, checked or written.
    """
    if path.exists():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with alone(path, cancelled):
            if not path.exists():  # another process may have fetched it meanwhile
                _Transfer(remote, path, on_bytes, cancelled, timeout).run()
    except OSError as error:  # of the disk: those of the network have become sentences
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else error.strerror or str(error)
        raise FetchError(
            f"can't write {path.name} into {path.parent.absolute()}: {reason}"
        ) from None
    return path


@contextmanager
def alone(path: Path, cancelled: Cancel | None = None) -> Iterator[None]:
    """Hold the right to make ``path``, against other processes and threads. Raises :class:`Cancelled` when told to stop waiting."""
    place = path.with_name(f".{path.name}.lock")
    lock = FileLock(place)
    try:
        lock.acquire(poll_interval=0.1, cancel_check=cancelled)
    except Timeout:
        raise Cancelled from None
    try:
        yield
    finally:
        with suppress(OSError):
            place.unlink()  # while it is held: whoever waits for it notices, and takes the next one
        lock.release()


class _Transfer:
    def __init__(
        self,
        remote: Remote,
        path: Path,
        on_bytes: OnBytes,
        cancelled: Cancel | None,
        timeout: float,
    ) -> None:
        self.remote, self.path, self.on_bytes, self.timeout = remote, path, on_bytes, timeout
        self.cancelled = cancelled or (lambda: False)
        self.part = path.with_name(f"{path.name}.part")
        self.version = path.with_name(
            f"{path.name}.part.version"
        )  # of the file on the server, which the part is of
        self.total, self.digest = remote.bytes, remote.digest

    def run(self) -> None:
        try:
            self._receive_all()
            self._check()
            os.replace(self.part, self.path)
        except _WrongBytes:
            self._forget()
            raise
        finally:
            if not self._kept()[0]:
                self._forget()

    def _receive_all(self) -> None:
        for connection in range(_CONNECTIONS):
            before = self._size()
            try:
                return self._receive()
            except ConnectionFailed:
                if not connection:
                    raise
                break
            except _Broken:
                if self._size() <= before:
                    break
        done = (
            f"{self._size() / _MB:.1f} of {self.total / _MB:.1f} MB"
            if self.total
            else f"{self._size() / _MB:.1f} MB"
        )
        again = (
            "what arrived is kept: try again to go on"
            if self._kept()[0]
            else "nothing was kept: try again"
        )
        raise FetchError(f"the connection broke after {done}; {again}")

    def _receive(self) -> None:
        """One connection's share, added to the part. Raises :class:`_Broken` when more is to come."""
        answer = self._ask()
        with answer.response as response:
            self._expect(answer)  # before anything is overwritten
            with self.part.open("ab" if answer.start else "wb") as file:
                if not answer.start:
                    self.version.write_text(answer.version, encoding="ascii")
                self._write(response, file, answer.start)
                file.flush()
                os.fsync(file.fileno())

    def _ask(self) -> Answer:
        if self.cancelled():
            raise Cancelled
        start, version = self._kept()
        try:
            return ask(self.remote, start, version, self.timeout)
        except RangeNotSatisfiable:
            self._forget()
            return ask(self.remote, timeout=self.timeout)

    def _expect(self, answer: Answer) -> None:
        expected = self.remote.bytes
        if expected is not None and answer.length not in (None, expected):
            raise FetchError(
                f"{self.remote.host} has a file of {answer.length:,} bytes where {expected:,} are expected; nothing was taken. "
                "Try again later"
            )
        self.total = answer.length if expected is None else expected
        self.digest = self.remote.digest or answer.digest

    def _write(self, response: http.client.HTTPResponse, file: IO[bytes], done: int) -> None:
        most = _MOST if self.total is None else self.total
        if done:
            self.on_bytes(done, self.total)
        while piece := _piece(response):
            if self.cancelled():
                raise Cancelled
            done += len(piece)
            if done > most:
                raise _WrongBytes(
                    f"{self.remote.host} sends more than the {most:,} bytes expected; nothing was kept. Try again later"
                )
            file.write(piece)
            self.on_bytes(done, self.total)
        if self.total is not None and done < self.total:
            raise _Broken

    def _check(self) -> None:
        if self.digest is None:
            return
        with self.part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if not found.startswith(self.digest):
            raise _WrongBytes(
                f"what {self.remote.host} sent is not {self.path.name} (its SHA-256 differs); nothing was kept. Try again later"
            )

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _kept(self) -> tuple[int, str]:
        """How many bytes one can go on from, and the version they are of; 0 where that is not known, or all have come already."""
        version = (
            self.version.read_text(encoding="ascii", errors="replace")
            if self.version.exists()
            else ""
        )
        size = self._size()
        usable = is_version(version) and (self.remote.bytes is None or size < self.remote.bytes)
        return (size, version) if usable else (0, "")

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.version.unlink(missing_ok=True)


def _piece(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read1(
            _CHUNK
        )  # as soon as anything is there: on a slow connection a full chunk takes long
    except (OSError, http.client.HTTPException):  # silence, a reset, a broken chunk
        raise _Broken from None
