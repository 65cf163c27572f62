"""Who looks: all threads together, sharing every operation, or each apart, at a piece of the batch of its own.

Together they wait for each other at the end of every operation, some two hundred times in a look; where other programs want the cores
too, for threads that are not running. On two idle cores a look at one photograph takes 0.66 (GoogLeNet) to 0.8 (SqueezeNet) of one
thread's time together, beside a second process that attacks twice as long. Apart nobody waits, but one image can't be divided. So both
are tried, again and again, for which is quicker changes with what else the machine does.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from explorer.attacks.frozen import Taped

MOST = 4  # members: each holds the interpreter between two operations
LEAST_PATIENCE, MOST_PATIENCE = 8, 64  # looks apart before together is tried again
REMEMBERED = 3  # looks: a busy machine slows any at random
BY_FAR = 2.0

T = TypeVar("T")


class Crew:
    """``members`` threads, each with its share of ``threads`` for what it computes."""

    def __init__(self, threads: int) -> None:
        self.members = min(threads, MOST)
        share, gathered = threads // self.members, threading.Barrier(self.members + 1)

        def begin() -> None:
            torch.get_num_threads()  # the first word on threads that a thread hears is everybody's, whatever it has said itself
            torch.set_num_threads(share)
            gathered.wait()

        self._pool = ThreadPoolExecutor(self.members, thread_name_prefix="crew")
        for _ in range(self.members):
            self._pool.submit(begin)
        gathered.wait()
        torch.set_num_threads(threads)  # what a member sets is also what threads begin with that come later

    def all(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """The results of ``tasks``, in order. Raises what the first that failed has raised, when all have ended."""
        futures = [self._pool.submit(task) for task in tasks]
        for future in futures:
            future.exception()
        return [future.result() for future in futures]


_crews: dict[int, Crew] = {}
_lock = threading.Lock()


def crew() -> Crew | None:
    """Of as many threads as are torch's here; None where that is one."""
    threads = torch.get_num_threads()
    if threads == 1:
        return None
    with _lock:
        if threads not in _crews:
            _crews[threads] = Crew(threads)
        return _crews[threads]


@dataclass
class Pace:
    """Whether looks of one kind are to be taken together or ``apart``. ``seconds``: of the latest looks of either; the first does not
    count, in which kernels are made. While together is slower, time and again or by far, ``left`` looks are taken apart before it is
    tried once more, each time for twice as long."""

    seconds: dict[bool, deque[float]] = field(default_factory=lambda: {apart: deque(maxlen=REMEMBERED) for apart in (False, True)})
    taken: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    left: int = 0
    patience: int = LEAST_PATIENCE

    def apart(self) -> bool:
        for apart, times in self.taken.items():
            if times < 2:
                return apart
        return self.left > 0

    def note(self, apart: bool, seconds: float) -> None:
        """How long a look took."""
        self.taken[apart] += 1
        if self.taken[apart] == 1:
            return
        self.seconds[apart].append(seconds)
        together, others = self.seconds[False], self.seconds[True]
        if apart:
            self.left = max(0, self.left - 1)
        elif others and (seconds > BY_FAR * min(others) or (len(together) == REMEMBERED and min(together) > min(others))):
            self.left, self.patience = self.patience, min(2 * self.patience, MOST_PATIENCE)
            together.clear()
        elif len(together) == REMEMBERED:
            self.patience = LEAST_PATIENCE


@dataclass
class _Known:
    """What is known of looks of one kind; ``steady``: whether together and apart have given the same bits."""

    pace: Pace = field(default_factory=Pace)
    steady: bool | None = None


_known: weakref.WeakKeyDictionary[Taped, dict[Hashable, _Known]] = weakref.WeakKeyDictionary()


def shared(
    taped: Taped, kind: Hashable, samples: int, together: Callable[[], T], pieces: Callable[[int], Sequence[Callable[[], T]]],
    joined: Callable[[Sequence[T]], T], alike: Callable[[T, T], bool], clock: Callable[[], float] = time.perf_counter,
) -> T:  # fmt: skip
    """A look at ``samples`` images with ``taped``, ``together`` or in ``pieces`` for so many members. ``kind`` is the same for looks that
    take about as long for each sample. The first is taken both ways, and all later ones together where the two are not ``alike``:
    what an attack finds must not depend on who had time."""
    helpers = crew()
    if helpers is None:
        return together()
    known = _known.setdefault(taped, {}).setdefault((kind, torch.get_num_threads()), _Known())
    if known.steady is None:
        found = together()
        known.steady = alike(found, joined(helpers.all(pieces(helpers.members))))
        return found
    if not known.steady:
        return together()
    apart, started = known.pace.apart(), clock()
    found = joined(helpers.all(pieces(helpers.members))) if apart else together()
    known.pace.note(apart, (clock() - started) / samples)
    return found
