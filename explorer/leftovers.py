"""Temporary files and folders, and the removal of those whose process was killed.

A process holds a lock on each of its temporary files until the file has been moved into place. The
system ends the lock with the process, so that a temporary file without a lock is a leftover. No
clock is read: it may jump, and the machines that share a folder may disagree about the time.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_PREFIX, _SUFFIX = ".explorer-", ".part"  # of names that nobody else uses


class _LockedByAnother(Exception):
    """Another process holds the lock."""


@contextmanager
def temporary_file(folder: Path) -> Iterator[Path]:
    """A new empty file in ``folder``. What is left of it at the end of the block is removed.

    Leftovers of processes that were killed are removed from ``folder`` first. Raises ``OSError``.
    """
    with _temporary(folder, directory=False) as path:
        yield path


@contextmanager
def temporary_folder(folder: Path) -> Iterator[Path]:
    """The same for a new folder in ``folder``, which only its owner can enter."""
    with _temporary(folder, directory=True) as path:
        yield path


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders in ``folder`` that no process is writing."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            plain = entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False)
            if plain and entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                _remove_leftover(Path(entry.path))


@contextmanager
def _temporary(folder: Path, directory: bool) -> Iterator[Path]:
    remove_leftovers(folder)
    path, lock = _create(folder, directory)
    try:
        yield path
    finally:
        _remove(path)
        if lock is not None:
            os.close(lock)


def _create(folder: Path, directory: bool) -> tuple[Path, int | None]:
    """A new path and its lock; None where the file system has no locks."""
    while True:
        path = folder / f"{_PREFIX}{secrets.token_hex(8)}{_SUFFIX}"
        if directory:
            path.mkdir(mode=0o700)
        else:
            path.open("xb").close()
        # Another process may take the new path for a leftover until it is locked.
        try:
            lock = _lock(path)
        except (_LockedByAnother, FileNotFoundError):
            continue
        if lock is None or path.exists():
            return path, lock
        os.close(lock)


def _remove_leftover(path: Path) -> None:
    with suppress(_LockedByAnother, OSError):
        lock = _lock(path)
        if lock is not None:
            _remove(path)
            os.close(lock)


def _lock(path: Path) -> int | None:
    """A descriptor that holds the lock on ``path``; None where the file system has no locks.

    Raises :class:`_LockedByAnother`, and ``OSError`` if ``path`` can't be opened.
    """
    if sys.platform == "win32":
        return None
    # Network file systems lock a file only if it is open for writing; a folder can't be.
    mode = os.O_RDONLY if path.is_dir() else os.O_RDWR
    descriptor = os.open(path, mode | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise _LockedByAnother from None
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
