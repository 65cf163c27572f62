"""A command ends soon after a signal asks it to, whatever it is computing.

Python handles a signal between two of its instructions, but one call of torch can take many
seconds. So a thread, which the system wakes at once, ends the process if the command does not.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

GRACE = 0.5  # seconds for the command to remove its temporary files
_REQUESTS = (signal.SIGINT, signal.SIGTERM)
_received: list[int] = []
_reported = threading.Event()
_last_acts: list[Callable[[], None]] = []
_acting = threading.Lock()


def handle_signals() -> None:
    """End the process soon after SIGINT or SIGTERM; to be called in the main thread.

    Both raise :class:`KeyboardInterrupt` first. A signal that the process was started to ignore, as
    a shell does for commands in the background, stays ignored.
    """
    for number in _REQUESTS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    threading.Thread(target=_end_late_commands, args=(reader,), daemon=True).start()


def before_the_end(act: Callable[[], None]) -> None:
    """Do ``act`` once before a signal ends the process: it must be quick.

    It is done in another thread where the main one is in a call that takes long.
    """
    _last_acts.append(act)


def forget_before_the_end() -> None:
    """Do nothing before the end any more."""
    with _acting:
        _last_acts.clear()


def run_before_the_end() -> None:
    """Do now, and once, what was to be done before the end."""
    with _acting:
        while _last_acts:
            _last_acts.pop()()


def was_interrupted() -> bool:
    """Whether a signal has come. An import that it interrupts may fail with any exception."""
    return bool(_received)


def report_stop() -> int:
    """Say so on standard error, and return the exit status: 128 plus the signal's number."""
    _reported.set()
    print("stopped", file=sys.stderr)
    return 128 + next(iter(_received), signal.SIGINT)


def leave(status: int) -> NoReturn:
    """End the process with this exit status; at once after a signal.

    Python then does not tidy up its modules, which took up to two seconds for torch's.
    """
    if was_interrupted():
        with suppress(OSError):
            sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    _received.append(number)
    raise KeyboardInterrupt


def _end_late_commands(reader: int) -> None:
    while (number := os.read(reader, 1)[0]) not in _REQUESTS:
        pass
    time.sleep(GRACE)
    with suppress(Exception):
        run_before_the_end()
    if not _reported.is_set():
        with suppress(OSError, ValueError, AttributeError):  # there may be no standard error
            os.write(sys.stderr.fileno(), b"stopped\n")
    os._exit(128 + number)
