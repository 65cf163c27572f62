"""Limits of a reading process, which the process sets for itself before it reads anything.

On Windows there are none; the time limit of the process that waits holds everywhere.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Starting programs and opening connections: nothing that reads a file needs to. "os.fork" and the
# like are in here because the limit of processes does not bind the superuser.
_FORBIDDEN = (
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.kill",
    "pty.spawn",
    "subprocess.Popen",
    "socket.",
    "ctypes.dlopen",
)


@dataclass(frozen=True)
class Limits:
    """What reading one file may take.

    ``seconds`` of processor time, and :attr:`patience` in all; ``memory`` in bytes, beyond what the
    process had before; ``written`` is the largest file that it may write, in bytes; ``reply`` is
    the number of bytes that it may send back.
    """

    seconds: float
    memory: int
    reply: int
    written: int = 0

    @property
    def patience(self) -> float:
        """Seconds until the process is ended, however little it computed: it may have to wait for
        a processor.
        """
        return 2.5 * self.seconds


def confine(*, threads: bool = False) -> None:
    """Forbid the process, for good, to start others and to open connections.

    The system counts threads as processes: without ``threads`` it can start none of these either.
    """
    sys.addaudithook(_audit)
    if sys.platform == "win32":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not threads:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    # Without a handler of Python's the signal ends the process even inside a decoder.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing more is an error of the write instead


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event} is forbidden in a process that reads files")


@contextmanager
def limited(limits: Limits) -> Iterator[None]:
    """Hold the process to ``limits`` within the block."""
    if sys.platform == "win32":
        yield
        return
    import resource

    unlimited = resource.RLIM_INFINITY
    in_use = _data_in_use()
    if in_use is not None:
        _set_soft(resource.RLIMIT_DATA, in_use + limits.memory)
    _set_soft(resource.RLIMIT_FSIZE, limits.written)
    signal.setitimer(signal.ITIMER_PROF, limits.seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        _set_soft(resource.RLIMIT_DATA, unlimited)
        _set_soft(resource.RLIMIT_FSIZE, unlimited)


def _set_soft(kind: int, value: int) -> None:
    import resource

    hard = resource.getrlimit(kind)[1]
    soft = hard if value == resource.RLIM_INFINITY else value
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(kind, (soft, hard))


def _data_in_use() -> int | None:
    """The bytes that Linux counts for RLIMIT_DATA; None on another system, which has no limit."""
    try:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmData:"))
        return int(line.split()[1]) * 1024
    except (OSError, StopIteration):
        return None
