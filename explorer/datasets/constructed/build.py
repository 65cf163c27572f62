"""The job that builds a constructed set: alone, or one of many ranks under ``torchrun``; stopped anywhere, it goes on.

The plan is written first; shard i belongs to rank i mod world; whoever finds every shard in place writes the manifest last.
Nothing is shared but the folder, so ranks need no network, only one file system.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.attacks.loop import OnStep
from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import IMAGE, noise, start_index, target_class
from explorer.datasets.constructed.plan import Plan
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.datasets.constructed.shards import MANIFEST, Row, check_shard, write_shard
from explorer.datasets.constructed.targeted_attack import targeted_construction
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.engine.precision import at_precision
from explorer.files import sha256, write_atomically

# Values in one batch: enough to fill the device, little enough for any of its kind. Always the same, so that a plan gives the same
# bytes; where memory forces smaller ones the images stay the same, and the last bit of ``objective`` may differ.
BATCH_VALUES = {"cpu": 100 * 3 * 32 * 32, "cuda": 4096 * 3 * 32 * 32}
# Kernels for a handful of images add in another order than those for many, and hundreds of steps carry a last bit into the
# stored bytes. Smaller batches are therefore filled up to this many.
LEAST_BATCH = 8
_STALE = 3600.0  # seconds after which a temporary file's process is taken to have been killed


def construct(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: Sequence[int],
    cancelled: Callable[[], bool] | None = None,
    on_step: OnStep | None = None,
) -> list[Row]:
    """The rows of the set for these rows of the source, in one batch; ``on_step(done, steps, mean objective)`` follows each step."""
    filled = [*indices, *[indices[-1]] * (LEAST_BATCH - len(indices))]
    return _constructed(plan, classifier, data, filled, cancelled, on_step)[: len(indices)]


def _constructed(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: list[int],
    cancelled: Callable[[], bool] | None,
    on_step: OnStep | None,
) -> list[Row]:
    construction, device = plan.construction, classifier.device
    sources = _pixels(data.images[indices]).to(device)
    labels, rows = data.labels[indices], [data.row(index) for index in indices]
    starts: list[int | None] = [None] * len(indices)
    targets: list[int | None] = [None] * len(indices)
    if construction.matches:
        if construction.start == IMAGE:
            starts = [start_index(plan.seed, row, len(data)) for row in rows]
            begin = _pixels(data.images[[each for each in starts if each is not None]])
        else:
            begin = torch.stack([noise(plan.seed, row, data.images.shape[1:]) for row in rows])
        made = match_representations(
            construction,
            classifier,
            sources,
            begin.to(device),
            precision=plan.precision,
            on_step=on_step,
            cancelled=cancelled,
        )
        given = labels
    else:
        targets = [
            target_class(construction, plan.seed, row, int(label), len(plan.classes))
            for row, label in zip(rows, labels, strict=True)
        ]
        given = torch.tensor(targets, dtype=torch.int64)
        made = targeted_construction(
            construction,
            classifier,
            sources,
            labels,
            given,
            precision=plan.precision,
            on_step=on_step,
            cancelled=cancelled,
        )
    stored = (made.images * 255).round().to(torch.uint8).cpu()
    with torch.no_grad():
        before = classifier(made.images).argmax(dim=1).cpu()
        after = classifier(_pixels(stored).to(device)).argmax(dim=1).cpu()
    least = made.objective.amin(dim=0).cpu()
    made_rows = []
    for i, (row, begun) in enumerate(zip(rows, starts, strict=True)):
        from_row, from_label = (
            (None, None) if begun is None else (data.row(begun), int(data.labels[begun]))
        )
        made_rows.append(
            Row(
                image=stored[i],
                label=int(given[i]),
                source_index=row,
                source_label=int(labels[i]),
                start_index=from_row,
                start_label=from_label,
                target=targets[i],
                objective=float(least[i]),
                reached=bool(before[i] == given[i]),
                predicted=int(after[i]),
            )
        )
    return made_rows


def _pixels(images: Tensor) -> Tensor:
    return images.float() / 255


@dataclass(frozen=True)
class BuildProgress:
    """``done`` of ``total`` rows of this rank are there, made at ``rate`` rows a second; ``note`` says what was noticed."""

    done: int
    total: int
    rate: float
    note: str = ""

    @property
    def seconds_left(self) -> float:
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
    """Make this rank's missing shards, and the manifest when all are there; returns whether the set is complete. ``report`` is told
    of every batch, ``on_step(done, steps, mean objective)`` of every step of one.

    Raises :class:`DataError` where something can't be written, :class:`~explorer.errors.Cancelled` when asked to stop.
    """
    if at_precision(classifier, plan.precision)[1] != plan.precision:
        raise DataError(
            f"{folder} was begun in {plan.precision}, which this machine can't do; choose another folder with --out"
        )
    missing, done = [], 0
    for number in range(rank, plan.shards, world):
        name, rows, stamp = plan.shard(number)
        wrong = (
            check_shard(folder / name, len(rows), plan.classes, stamp)
            if (folder / name).exists()
            else ""
        )
        if wrong is None:
            done += len(rows)
        else:
            missing.append((number, f"{name} is made again: {wrong}" if wrong else ""))
    total = done + sum(len(plan.shard(number)[1]) for number, _ in missing)
    report(BuildProgress(done, total, 0.0))
    begun, before = time.perf_counter(), done
    for number, note in missing:
        if note:
            report(BuildProgress(done, total, 0.0, note))
        name, rows, stamp = plan.shard(number)

        def made(count: int, done: int = done) -> None:
            report(
                BuildProgress(
                    done + count, total, (done + count - before) / (time.perf_counter() - begun)
                )
            )

        write_shard(
            folder / name,
            _rows(plan, classifier, data, rows, made, cancelled, on_step),
            plan.classes,
            stamp,
        )
        done += len(rows)
    return _finish(plan, folder)


def _rows(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: Sequence[int],
    made: Callable[[int], None],
    cancelled: Callable[[], bool] | None,
    on_step: OnStep | None,
) -> list[Row]:
    """One shard's rows, in batches that fit the device's memory."""
    finished: list[Row] = []
    batch = max(
        LEAST_BATCH, BATCH_VALUES.get(plan.device, BATCH_VALUES["cpu"]) // data.images[0].numel()
    )
    while len(finished) < len(indices):
        try:
            chunk = indices[len(finished) : len(finished) + batch]
            finished += construct(plan, classifier, data, chunk, cancelled, on_step)
        except torch.OutOfMemoryError:
            if batch == LEAST_BATCH:
                raise DataError(
                    f"{batch} images do not fit into the device's memory; use --device cpu"
                ) from None
            batch = max(LEAST_BATCH, batch // 2)
            continue
        made(len(finished))
    return finished


def _finish(plan: Plan, folder: Path) -> bool:
    """Write the manifest if every shard is in place and whole. Ranks that end together write the same bytes."""
    shards = [plan.shard(number) for number in range(plan.shards)]
    for name, rows, stamp in shards:
        if (
            not (folder / name).is_file()
            or check_shard(folder / name, len(rows), plan.classes, stamp) is not None
        ):
            return False
    listed = [
        {"file": name, "rows": len(rows), "sha256": sha256(folder / name)}
        for name, rows, _ in shards
    ]
    manifest = {"plan": plan.digest, **plan.as_dict(), "shards": listed}
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    _sweep(folder)
    return True


def _sweep(folder: Path) -> None:
    """Remove what killed processes left half written."""
    for path in (*folder.glob(".*.part"), *folder.glob(".plan.json.*")):
        with suppress(OSError):  # another rank may sweep too
            if time.time() - path.stat().st_mtime > _STALE:
                path.unlink()
