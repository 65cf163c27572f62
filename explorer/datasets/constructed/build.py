"""Building a constructed set, in one process or in the ranks of ``torchrun``.

The plan is written first; shard i belongs to rank i mod world size; the process that completes the
last shard writes the manifest. A build that was stopped continues with the missing shards. The
ranks share nothing but the folder, so they need one file system and no network.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.attacks import OnStep
from explorer.classifiers import Classifier
from explorer.datasets.constructed.batches import construct_rows
from explorer.datasets.constructed.manifest import write_manifest
from explorer.datasets.constructed.plan import Plan
from explorer.datasets.constructed.shards import Shard, check_shard, write_shard
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.engine import gradient_model


@dataclass(frozen=True)
class BuildProgress:
    """``done`` of this rank's ``total`` rows, at ``rate`` rows a second (0 before the first).

    ``note`` is a sentence about a damaged shard, or empty.
    """

    done: int
    total: int
    rate: float
    note: str = ""

    @property
    def seconds_left(self) -> float:
        """Infinite before the first row."""
        return (self.total - self.done) / self.rate if self.rate else float("inf")


def build(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    folder: Path,
    *,
    rank: int = 0,
    world: int = 1,
    report: Callable[[BuildProgress], None] = lambda progress: None,
    on_step: OnStep | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    """Build this rank's missing shards, and the manifest if all are there; True if they are.

    ``report`` is called after every batch, ``on_step(done, steps, mean objective)`` after every
    step within one. Raises :class:`DataError` if this machine lacks the plan's precision or memory,
    :class:`~explorer.files.FileError` if something can't be written, and
    :class:`~explorer.errors.Cancelled`.
    """
    if gradient_model(classifier, plan.precision)[1] != plan.precision:
        fault = f"{folder} was begun in {plan.precision}, which this machine can't do"
        raise DataError(f"{fault}; choose another folder with --out")
    shards = plan.shards[rank::world]
    missing = _missing(folder, shards, plan.classes)
    total = sum(len(shard.rows) for shard in shards)
    done = total - sum(len(shard.rows) for shard, _ in missing)
    report(BuildProgress(done, total, 0.0))
    start_time, done_before = time.perf_counter(), done
    for shard, note in missing:
        if note:
            report(BuildProgress(done, total, 0.0, note))

        def on_batch(count: int, done: int = done) -> None:
            rate = (done + count - done_before) / (time.perf_counter() - start_time)
            report(BuildProgress(done + count, total, rate))

        rows = construct_rows(
            plan,
            classifier,
            data,
            shard.rows,
            on_batch=on_batch,
            on_step=on_step,
            cancelled=cancelled,
        )
        write_shard(folder / shard.name, rows, plan.classes, shard.stamp)
        done += len(rows)
    return _finish(plan, folder)


def _missing(
    folder: Path, shards: Sequence[Shard], names: Sequence[str]
) -> list[tuple[Shard, str]]:
    """The shards to build, each with a note if a damaged one is there."""
    missing = []
    for shard in shards:
        path = folder / shard.name
        if not path.exists():
            missing.append((shard, ""))
        elif fault := check_shard(path, len(shard.rows), names, shard.stamp):
            missing.append((shard, f"{shard.name} is made again: {fault}"))
    return missing


def _finish(plan: Plan, folder: Path) -> bool:
    """Write the manifest if every shard is there. Ranks that finish together write equal bytes."""
    if _missing(folder, plan.shards, plan.classes):
        return False
    write_manifest(folder, {"plan": plan.digest, **plan.as_dict()}, plan.shards)
    return True
