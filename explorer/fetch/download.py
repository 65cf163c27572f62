"""A whole file, over as many connections as it takes.

The bytes are collected beside the file as ``NAME.part``, so that a download which broke or was
cancelled continues where it stopped. The complete part is checked by length and SHA-256 and moved
into place. Only one process at a time writes a part.
"""

from __future__ import annotations

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
    ConnectionFailed,
    FetchError,
    FileResponse,
    RangeNotSatisfiable,
    Remote,
    is_validator,
    request_file,
)
from explorer.files import disk_error

OnBytes = Callable[[int, int | None], None]  # bytes received, total bytes or None if unknown
Cancel = Callable[[], bool]

_CHUNK = 2**18
_MB = 1_000_000
_MAX_CONNECTIONS = 5  # per call; each must bring new bytes, or the next is not tried
_MAX_BYTES = 8_000_000_000  # accepted from a server that does not state the length


class _ConnectionBroken(Exception):
    """The connection ended before the file did."""


class _WrongContent(FetchError):
    """The received bytes are not those of the file and must be deleted."""


def fetch(
    remote: Remote,
    path: Path,
    *,
    on_bytes: OnBytes = lambda done, total: None,
    cancelled: Cancel | None = None,
    timeout: float = 30.0,
) -> Path:
    """``path``, after fetching ``remote`` into it unless it exists.

    ``on_bytes(done, total)`` is called for every chunk, and before it ``cancelled()``: if that is
    true, :class:`Cancelled` is raised. ``timeout`` is the longest silence in seconds. Raises
    :class:`FetchError` if the file can't be fetched, checked or written.
    """
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(path, cancelled):
            if not path.is_file():  # another process may have fetched it meanwhile
                _Download(remote, path, on_bytes, cancelled, timeout).run()
    except OSError as error:  # of the disk; those of the network are FetchErrors already
        raise FetchError(str(disk_error(path, error, "What arrived is kept"))) from None
    return path


@contextmanager
def file_lock(path: Path, cancelled: Cancel | None = None) -> Iterator[None]:
    """The exclusive right to create ``path``, among processes and threads.

    Raises :class:`Cancelled` if ``cancelled()`` becomes true while another holds the lock.
    """
    lock_path = path.with_name(f".{path.name}.lock")
    lock = FileLock(lock_path)
    try:
        lock.acquire(poll_interval=0.1, cancel_check=cancelled)
    except Timeout:
        raise Cancelled from None
    try:
        yield
    finally:
        # Deleted before the release: those who wait notice this and lock a new file.
        with suppress(OSError):
            lock_path.unlink()
        lock.release()


class _Download:
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
        self.version_file = path.with_name(f"{path.name}.part.version")  # the part's validator
        self.total, self.digest = remote.bytes, remote.digest

    def run(self) -> None:
        for path in (self.path, self.part, self.version_file):
            if path.exists() and not path.is_file():  # a folder, or a pipe, which has no end
                raise FetchError(f"{path} is in the way: it is no file; remove it and try again")
        try:
            self._receive_all()
            self._check_digest()
            os.replace(self.part, self.path)
        except _WrongContent:
            self._delete_part()
            raise
        finally:
            if not self._resume_point()[0]:
                self._delete_part()

    def _receive_all(self) -> None:
        for connection in range(_MAX_CONNECTIONS):
            before = self._part_size()
            try:
                return self._receive()
            except ConnectionFailed:
                if not connection:
                    raise
                break
            except _ConnectionBroken:
                if self._part_size() <= before:
                    break
        size = f"{self._part_size() / _MB:.1f}"
        done = f"{size} of {self.total / _MB:.1f} MB" if self.total else f"{size} MB"
        if self._resume_point()[0]:
            remains = "what arrived is kept: try again to continue"
        else:
            remains = "nothing was kept: try again"
        raise FetchError(f"the connection broke after {done}; {remains}")

    def _receive(self) -> None:
        """Append what one connection sends. Raises :class:`_ConnectionBroken` if it is not all."""
        response = self._request()
        with response.stream as stream:
            self._check_headers(response)  # before anything is overwritten
            with self.part.open("ab" if response.start else "wb") as file:
                if not response.start:
                    self.version_file.write_text(response.validator, encoding="ascii")
                self._append(stream, file, response.start)
                file.flush()
                os.fsync(file.fileno())

    def _request(self) -> FileResponse:
        if self.cancelled():
            raise Cancelled
        start, validator = self._resume_point()
        try:
            return request_file(self.remote, start, validator, self.timeout)
        except RangeNotSatisfiable:
            self._delete_part()
            return request_file(self.remote, timeout=self.timeout)

    def _check_headers(self, response: FileResponse) -> None:
        expected = self.remote.bytes
        if expected is not None and response.length not in (None, expected):
            raise FetchError(
                f"{self.remote.host} has a file of {response.length:,} bytes where {expected:,} "
                "are expected; nothing was taken. Try again later"
            )
        self.total = response.length if expected is None else expected
        self.digest = self.remote.digest or response.digest

    def _append(self, stream: http.client.HTTPResponse, file: IO[bytes], done: int) -> None:
        max_bytes = _MAX_BYTES if self.total is None else self.total
        if done:
            self.on_bytes(done, self.total)
        while chunk := _read_chunk(stream):
            if self.cancelled():
                raise Cancelled
            done += len(chunk)
            if done > max_bytes:
                raise _WrongContent(
                    f"{self.remote.host} sends more than the {max_bytes:,} bytes expected; "
                    "nothing was kept. Try again later"
                )
            file.write(chunk)
            self.on_bytes(done, self.total)
        if self.total is not None and done < self.total:
            raise _ConnectionBroken

    def _check_digest(self) -> None:
        if self.digest is None:
            return
        with self.part.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if not digest.startswith(self.digest):
            raise _WrongContent(
                f"what {self.remote.host} sent is not {self.path.name} (its SHA-256 differs); "
                "nothing was kept. Try again later"
            )

    def _part_size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _resume_point(self) -> tuple[int, str]:
        """The number of bytes to continue from and their validator; 0 and "" to start again."""
        validator = ""
        if self.version_file.exists():
            validator = self.version_file.read_text(encoding="ascii", errors="replace")
        size = self._part_size()
        incomplete = self.remote.bytes is None or size < self.remote.bytes
        return (size, validator) if is_validator(validator) and incomplete else (0, "")

    def _delete_part(self) -> None:
        self.part.unlink(missing_ok=True)
        self.version_file.unlink(missing_ok=True)


def _read_chunk(stream: http.client.HTTPResponse) -> bytes:
    try:
        # read1 returns the bytes that are there: a full chunk takes long on a slow connection.
        return stream.read1(_CHUNK)
    except (OSError, http.client.HTTPException):  # a timeout, a reset, a damaged chunk
        raise _ConnectionBroken from None
