"""Threads for evaluations, each with its share of torch's threads."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch

from explorer.engine.pauses import pause

MAX_WORKERS = 4  # each holds the interpreter lock between two operations

T = TypeVar("T")


@dataclass(frozen=True)
class ThreadSetter:
    """Sets how many threads the calling thread computes with, in OpenMP and in MKL.

    torch's own function also sets the number with which later threads begin. MKL, which multiplies
    matrices in float32, has a number of its own; 0 stands for that of the process.
    """

    openmp: Callable[[int], None]
    mkl: Callable[[int], int] | None

    def __call__(self, threads: int) -> Callable[[], None]:
        """Set both; returns a function that sets them back."""
        before = torch.get_num_threads()
        self.openmp(threads)
        mkl_before = 0 if self.mkl is None else self.mkl(threads)

        def restore() -> None:
            self.openmp(before)
            if self.mkl is not None:
                self.mkl(mkl_before)

        return restore


def _find_setter() -> ThreadSetter | None:
    """None where OpenMP's function is missing or does nothing."""
    try:
        library = ctypes.CDLL(torch._C.__file__)
        openmp = library.omp_set_num_threads
    except (OSError, AttributeError, TypeError):
        return None
    openmp.argtypes, openmp.restype = [ctypes.c_int], None
    mkl = getattr(library, "MKL_Set_Num_Threads_Local", None)
    if mkl is not None:
        mkl.argtypes, mkl.restype = [ctypes.c_int], ctypes.c_int
    setter, before = ThreadSetter(openmp, mkl), torch.get_num_threads()
    restore = setter(before + 1)
    works = torch.get_num_threads() == before + 1
    restore()
    return setter if works else None


_set_threads = _find_setter()


@contextmanager
def thread_count(threads: int | None) -> Iterator[None]:
    """So many threads for what the calling thread computes in the block; None: as many as before.

    It changes nothing where OpenMP's own function is missing: torch's is for the whole process.
    """
    if threads is None or threads == torch.get_num_threads() or _set_threads is None:
        yield
        return
    restore = _set_threads(threads)
    try:
        yield
    finally:
        restore()


class EvaluationPool:
    """``workers`` threads, the calling one included, each with its share of ``threads``."""

    def __init__(self, threads: int, set_threads: ThreadSetter, most: int = MAX_WORKERS) -> None:
        self.workers, self._set_threads = min(threads, most), set_threads
        self._share = threads // self.workers
        self._executor = ThreadPoolExecutor(
            self.workers - 1, thread_name_prefix="evaluation", initializer=self._start_worker
        )

    def _start_worker(self) -> None:
        # torch initialises a thread's number at its first question, whatever was set before.
        torch.get_num_threads()
        self._set_threads(self._share)

    def run(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        """The results of ``tasks`` in order, with a pause after each round of the workers.

        Raises the exception of the first task that failed, after those beside it have ended.
        """
        results: list[T] = []
        for first in range(0, len(tasks), self.workers):
            if first:
                pause()
            results += self._run_beside(tasks[first : first + self.workers])
        return results

    def _run_beside(self, tasks: Sequence[Callable[[], T]]) -> list[T]:
        others = [self._executor.submit(task) for task in tasks[1:]]
        restore = self._set_threads(self._share)
        try:
            # On a busy machine a worker may be late: what it has not begun is done here.
            futures = [_completed(tasks[0])]
            for task, other in zip(tasks[1:], others, strict=True):
                futures.append(_completed(task) if other.cancel() else other)
        finally:
            restore()
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


_pools: dict[tuple[int, int], EvaluationPool] = {}
_lock = threading.Lock()


def evaluation_pool(most: int = MAX_WORKERS) -> EvaluationPool | None:
    """The pool of at most so many workers for torch's present number of threads; None for one."""
    threads = torch.get_num_threads()
    if threads == 1 or _set_threads is None:
        return None
    with _lock:
        key = threads, min(threads, most)
        if key not in _pools:
            _pools[key] = EvaluationPool(threads, _set_threads, most)
        return _pools[key]


def run_apart(tasks: Sequence[Callable[[], T]]) -> list[T]:
    """The results of ``tasks`` in order, each computed on one thread: the same bits everywhere."""
    pool = evaluation_pool(most=torch.get_num_threads())
    return [task() for task in tasks] if pool is None else pool.run(tasks)
