"""Threads for evaluations: all share every operation, or each evaluates a part of the batch.

Sharing (intra-op), threads wait for each other at the end of every operation, some two hundred
times per gradient; where other programs use the cores too, they wait for threads that do not run.
On two idle cores the gradient of one small picture (tiny12) takes 0.7 of one thread's time; beside
programs that want four tenths of each core it takes 1.5 times as long. Apart (data-parallel) no
thread waits, but one image can't be divided and one thread evaluates it. So both are tried again
and again, since the quicker one changes with the machine's other work: attacks came to within 15 %
of the better of the two, busy or idle.
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

MAX_WORKERS = 4  # each holds the interpreter lock between two operations
MIN_INTERVAL, MAX_INTERVAL = 8, 64  # evaluations by one strategy before the other is tried
NEWEST_WEIGHT = 0.25  # of the latest evaluation in a running mean
OUTLIER = 2.0  # times the mean: the most that one evaluation counts

T = TypeVar("T")


def _openmp_setter() -> Callable[[int], None] | None:
    """OpenMP's function for the calling thread's number of threads; None where it is missing.

    torch's own function also sets the number with which later threads begin.
    """
    try:
        setter = ctypes.CDLL(torch._C.__file__).omp_set_num_threads
    except (OSError, AttributeError, TypeError):
        return None
    setter.argtypes, setter.restype = [ctypes.c_int], None
    before = torch.get_num_threads()
    setter(before + 1)
    works = torch.get_num_threads() == before + 1
    setter(before)
    return setter if works else None


_set_threads = _openmp_setter()


class EvaluationPool:
    """``workers`` threads, the calling one included, each with its share of ``threads``."""

    def __init__(self, threads: int, set_threads: Callable[[int], None]) -> None:
        self.workers, self._set_threads = min(threads, MAX_WORKERS), set_threads
        self._share = threads // self.workers
        self._executor = ThreadPoolExecutor(
            self.workers - 1, thread_name_prefix="evaluation", initializer=self._start_worker
        )

    def _start_worker(self) -> None:
        # torch initialises a thread's number at its first question, whatever was set before.
        torch.get_num_threads()
        self._set_threads(self._share)

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """The results of ``tasks`` in order.

        Raises the exception of the first task that failed, after all have ended.
        """
        others = [self._executor.submit(task) for task in tasks[1:]]
        before = torch.get_num_threads()
        self._set_threads(self._share)
        try:
            # On a busy machine a worker may be late: what it has not begun is done here.
            futures = [_completed(tasks[0])]
            for task, other in zip(tasks[1:], others, strict=True):
                futures.append(_completed(task) if other.cancel() else other)
        finally:
            self._set_threads(before)
        for future in futures:
            future.exception()
        return [future.result() for future in futures]


def _completed(task: Callable[[], T]) -> Future[T]:
    """The outcome of ``task``, run on the calling thread."""
    future: Future[T] = Future()
    try:
        future.set_result(task())
    except Exception as error:
        future.set_exception(error)
    return future


_pools: dict[int, EvaluationPool] = {}
_lock = threading.Lock()


def evaluation_pool() -> EvaluationPool | None:
    """The pool for torch's present number of threads; None for one thread."""
    threads = torch.get_num_threads()
    if threads == 1 or _set_threads is None:
        return None
    with _lock:
        if threads not in _pools:
            _pools[threads] = EvaluationPool(threads, _set_threads)
        return _pools[threads]


@dataclass
class StrategyTuner:
    """Chooses between intra-op and data-parallel evaluations of one kind, by their times.

    ``means`` are running means of seconds, by whether the evaluation was data-parallel; the first
    evaluation of each does not count, since kernels are made in it. After ``probe_interval``
    evaluations by the chosen strategy the other one is tried, and taken while it is quicker.
    """

    means: dict[bool, float] = field(default_factory=dict)
    counts: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    chosen: bool = False
    since_probe: int = 0
    probe_interval: int = MIN_INTERVAL

    def data_parallel(self) -> bool:
        """Whether the next evaluation is to be data-parallel."""
        for strategy, count in self.counts.items():
            if count < 2:
                return strategy
        return self.chosen != (self.since_probe >= self.probe_interval)

    def record(self, data_parallel: bool, seconds: float) -> None:
        """Note how long an evaluation took."""
        self.counts[data_parallel] += 1
        if self.counts[data_parallel] == 1:
            return
        before = self.means.get(data_parallel, seconds)
        counted = min(seconds, OUTLIER * before)
        self.means[data_parallel] = before + NEWEST_WEIGHT * (counted - before)
        if len(self.means) < 2:
            return
        if self.means[not self.chosen] < self.means[self.chosen]:
            self.chosen, self.since_probe = not self.chosen, 0
            self.probe_interval = MIN_INTERVAL
        elif data_parallel == self.chosen:
            self.since_probe += 1
        elif seconds >= self.means[self.chosen]:
            self.since_probe = 0
            self.probe_interval = min(2 * self.probe_interval, MAX_INTERVAL)


@dataclass
class _Kind:
    """Evaluations of one kind; ``bitwise_identical``: whether both strategies gave equal bits."""

    tuner: StrategyTuner = field(default_factory=StrategyTuner)
    bitwise_identical: bool | None = None


_kinds: weakref.WeakKeyDictionary[object, dict[Hashable, _Kind]] = weakref.WeakKeyDictionary()


def run_quickest(
    owner: object,
    kind: Hashable,
    samples: int,
    whole: Callable[[], T],
    parts: Callable[[int], Sequence[Callable[[], T]]],
    join: Callable[[Sequence[T]], T],
    equal: Callable[[T, T], bool],
    clock: Callable[[], float] = time.perf_counter,
) -> T:
    """An evaluation of ``samples`` images, as a ``whole`` or in ``parts`` for so many workers.

    ``kind`` is equal for evaluations with ``owner`` that take about the same time per sample. The
    first is made both ways, and all later ones as a whole if the two are not ``equal``: a result
    must not depend on which thread had time.
    """
    pool = evaluation_pool()
    if pool is None:
        return whole()
    kinds = _kinds.setdefault(owner, {})
    known = kinds.setdefault((kind, torch.get_num_threads()), _Kind())
    if known.bitwise_identical is None:
        result = whole()
        known.bitwise_identical = equal(result, join(pool.run(parts(pool.workers))))
        return result
    if not known.bitwise_identical:
        return whole()
    data_parallel, started = known.tuner.data_parallel(), clock()
    result = join(pool.run(parts(pool.workers))) if data_parallel else whole()
    known.tuner.record(data_parallel, (clock() - started) / samples)
    return result
