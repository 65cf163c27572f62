"""Who looks: all threads together, sharing every operation, or each apart, at a piece of the batch of its own.

Together they wait for each other at the end of every operation, some two hundred times in a look; where other programs want the cores
too, for threads that are not running. On two idle cores a look at one small picture (tiny12) takes 0.7 of one thread's time together,
beside programs that want four tenths of each core 1.5 times as long. Apart nobody waits, but one image can't be divided: one thread looks
at it then. So both are tried, again and again, for which is quicker changes with what else the machine does: an attack came to within
15 % of the better of the two, busy or idle.
"""

from __future__ import annotations

import ctypes
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from explorer.engine.optimized_copy import Taped

MOST = 4  # members: each holds the interpreter between two operations
LEAST_PATIENCE, MOST_PATIENCE = 8, 64  # looks taken one way before the other is tried
NEWEST = 0.25  # weight of the latest look in a mean
HICCUP = 2.0  # times the mean: as slow as that a look counts at most, for once

T = TypeVar("T")


def _openmp() -> Callable[[int], None] | None:
    """OpenMP's own function for the number of threads, which holds for whoever calls it. What torch's own says is also what threads
    begin with that come later. None where it is not to be had."""
    try:
        chosen = ctypes.CDLL(torch._C.__file__).omp_set_num_threads
    except (OSError, AttributeError, TypeError):
        return None
    chosen.argtypes, chosen.restype = [ctypes.c_int], None
    before = torch.get_num_threads()
    chosen(before + 1)
    heard = torch.get_num_threads() == before + 1
    chosen(before)
    return chosen if heard else None


_set_threads = _openmp()


class Crew:
    """``members`` threads, whoever asks being one of them, each with its share of ``threads`` for what it computes."""

    def __init__(self, threads: int, limit: Callable[[int], None]) -> None:
        self.members, self._limit = min(threads, MOST), limit
        self._share = threads // self.members
        self._pool = ThreadPoolExecutor(
            self.members - 1, thread_name_prefix="crew", initializer=self._begin
        )

    def _begin(self) -> None:
        torch.get_num_threads()  # the first word on threads that a thread hears is everybody's, whatever it has said itself
        self._limit(self._share)

    def all(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """The results of ``tasks``, in order. Raises what the first that failed has raised, when all have ended."""
        others, before = [self._pool.submit(task) for task in tasks[1:]], torch.get_num_threads()
        self._limit(self._share)
        try:
            # Where other programs want the cores a member may be long in coming: what it has not begun is done here.
            futures = [
                _done(tasks[0]),
                *(
                    _done(task) if other.cancel() else other
                    for task, other in zip(tasks[1:], others, strict=True)
                ),
            ]
        finally:
            self._limit(before)
        for future in futures:
            future.exception()
        return [future.result() for future in futures]


def _done(task: Callable[[], T]) -> Future[T]:
    """What ``task`` has returned or raised, as if another thread had."""
    future: Future[T] = Future()
    try:
        future.set_result(task())
    except Exception as error:
        future.set_exception(error)
    return future


_crews: dict[int, Crew] = {}
_lock = threading.Lock()


def crew() -> Crew | None:
    """Of as many threads as are torch's here; None where that is one."""
    threads = torch.get_num_threads()
    if threads == 1 or _set_threads is None:
        return None
    with _lock:
        if threads not in _crews:
            _crews[threads] = Crew(threads, _set_threads)
        return _crews[threads]


@dataclass
class Pace:
    """Whether looks of one kind are to be taken together or apart. ``means``: seconds of the latest looks of either, running; the first
    does not count, in which kernels are made. When ``since`` the last try ``patience`` looks were taken the ``chosen`` way, the other is
    tried, for as long as it is the quicker one: a busy machine slows either, at random."""

    means: dict[bool, float] = field(default_factory=dict)
    taken: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    chosen: bool = False
    since: int = 0
    patience: int = LEAST_PATIENCE

    def apart(self) -> bool:
        for apart, times in self.taken.items():
            if times < 2:
                return apart
        return self.chosen != (self.since >= self.patience)

    def note(self, apart: bool, seconds: float) -> None:
        """How long a look took."""
        self.taken[apart] += 1
        if self.taken[apart] == 1:
            return
        before = self.means.get(apart, seconds)
        self.means[apart] = before + NEWEST * (min(seconds, HICCUP * before) - before)
        if len(self.means) < 2:
            return
        if self.means[not self.chosen] < self.means[self.chosen]:
            self.chosen, self.since, self.patience = not self.chosen, 0, LEAST_PATIENCE
        elif apart == self.chosen:
            self.since += 1
        elif seconds >= self.means[self.chosen]:
            self.since, self.patience = 0, min(2 * self.patience, MOST_PATIENCE)


@dataclass
class _Known:
    """What is known of looks of one kind; ``steady``: whether together and apart have given the same bits."""

    pace: Pace = field(default_factory=Pace)
    steady: bool | None = None


_known: weakref.WeakKeyDictionary[Taped, dict[Hashable, _Known]] = weakref.WeakKeyDictionary()


def shared(
    taped: Taped,
    kind: Hashable,
    samples: int,
    together: Callable[[], T],
    pieces: Callable[[int], Sequence[Callable[[], T]]],
    joined: Callable[[Sequence[T]], T],
    alike: Callable[[T, T], bool],
    clock: Callable[[], float] = time.perf_counter,
) -> T:
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
