"""How threads evaluate: all share every operation, or each evaluates a part of the batch.

Sharing (intra-op), threads wait for each other at the end of every operation, some two hundred
times per gradient; where other programs use the cores too, they wait for threads that do not run.
On two idle cores the gradient of one small picture (tiny12) takes 0.7 of one thread's time; beside
programs that want four tenths of each core it takes 1.5 times as long. Apart (data-parallel) no
thread waits, but one image can't be divided and one thread evaluates it. So both are tried again
and again, since the quicker one changes with the machine's other work: attacks came to within 15 %
of the better of the two, busy or idle.

Time decides only between ways that give the same bits. In float32 the kernels for one thread and
for two add in different orders, and so do those for small batches of different sizes. There the way
depends on the network and the batch alone.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import torch

from explorer.engine.threads import evaluation_pool

MIN_INTERVAL, MAX_INTERVAL = 8, 64  # evaluations by one strategy before the other is tried
NEWEST_WEIGHT = 0.25  # of the latest evaluation in a running mean
OUTLIER = 2.0  # times the mean: the most that one evaluation counts

T = TypeVar("T")


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
    *,
    prefer_parts: bool = False,
) -> T:
    """An evaluation of ``samples`` images, as a ``whole`` or in ``parts`` for so many workers.

    ``kind`` is equal for evaluations with ``owner`` that take about the same time per sample. The
    first is made both ways. If the two are not ``equal``, it and all later ones are made as a
    whole, or with ``prefer_parts`` in parts: a result must not depend on which thread had time.
    """
    pool = evaluation_pool()
    if pool is None:
        return whole()

    def in_parts() -> T:
        return join(pool.run(parts(pool.workers)))

    kinds = _kinds.setdefault(owner, {})
    known = kinds.setdefault((kind, torch.get_num_threads()), _Kind())
    if known.bitwise_identical is None:
        result, apart = whole(), in_parts()
        known.bitwise_identical = equal(result, apart)
        return apart if prefer_parts else result
    if not known.bitwise_identical:
        return in_parts() if prefer_parts else whole()
    data_parallel, started = known.tuner.data_parallel(), clock()
    result = in_parts() if data_parallel else whole()
    known.tuner.record(data_parallel, (clock() - started) / samples)
    return result
