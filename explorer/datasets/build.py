"""The job that builds a constructed set: alone, or one of many ranks under ``torchrun``; stopped anywhere, it goes on.

The plan is written first and says all that the bytes depend on; shard i belongs to rank i mod world; whoever finds every shard
in place writes the manifest last. Nothing is shared but the folder, so ranks need no network, only one file system.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.attacks.engine import at_precision
from explorer.classifiers import Classifier
from explorer.datasets.constructions import (
    IMAGE,
    Construction,
    match,
    noise,
    start_index,
    target_class,
    towards,
)
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.datasets.shards import Row, check_shard, digest, put, write_shard

FORMAT = 1
PLAN, MANIFEST = "plan.json", "manifest.json"
SHARD_ROWS = 500
# Values in one batch: enough to fill the device, little enough for any of its kind. The bytes do not depend on it.
BATCH_VALUES = {"cpu": 100 * 3 * 32 * 32, "cuda": 4096 * 3 * 32 * 32}


@dataclass(frozen=True)
class Plan:
    """All that the bytes of a built set depend on. ``rows`` are indices of the source's data, held-out images left aside."""

    construction: Construction
    model: str
    weights_digest: str
    source: str
    source_digest: str
    seed: int
    rows: tuple[int, ...]
    classes: tuple[str, ...]
    precision: str
    device: str
    torch: str

    def as_dict(self) -> dict[str, Any]:
        return {"format": FORMAT, **asdict(self), "rows": list(self.rows), "classes": list(self.classes)}

    def identity(self) -> dict[str, Any]:
        """What decides the bytes; where the source was found does not."""
        return {name: value for name, value in self.as_dict().items() if name != "source"}

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()

    @property
    def shards(self) -> int:
        return -(-len(self.rows) // SHARD_ROWS)

    def shard(self, number: int) -> tuple[str, tuple[int, ...], dict[str, Any]]:
        """A shard's file name, the rows of the source it is made from, and its stamp."""
        rows = self.rows[number * SHARD_ROWS : (number + 1) * SHARD_ROWS]
        return f"data-{number:05d}-of-{self.shards:05d}.parquet", rows, {"plan": self.digest, "shard": number}


def make_plan(
    construction: Construction,
    classifier: Classifier,
    data: LabelledImages,
    *,
    source: str,
    rows: Sequence[int] | None = None,
    seed: int = 0,
    precision: str = "auto",
) -> Plan:
    """The plan of building ``construction`` with ``classifier`` from the ``rows`` of ``data`` (all of them when None)."""
    return Plan(
        construction, classifier.name, classifier.digest, source, data.digest, seed,
        tuple(range(len(data)) if rows is None else rows), classifier.labels, at_precision(classifier, precision)[1],
        classifier.device.type, torch.__version__,
    )  # fmt: skip


def settle(plan: Plan, folder: Path, *, automatic: bool) -> Plan:
    """Write the plan into ``folder``, or check that the one there is the same; returns the one that holds.

    With ``automatic`` precision a rank, or a later start, takes over the precision of the first. Raises :class:`DataError` when the
    folder belongs to another plan, naming what differs.
    """
    path = folder / PLAN
    temporary = folder / f".{PLAN}.{os.getpid()}"
    put(temporary, json.dumps(plan.as_dict(), indent=1).encode())
    try:
        os.link(temporary, path)  # fails where there is one, whoever was first
        return plan
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    try:
        there = json.loads(path.read_text())
    except (OSError, ValueError):
        raise DataError(f"{path} can't be read; remove the folder or choose another with --out") from None
    if automatic:
        plan = replace(plan, precision=str(there.get("precision")))
    mine = json.loads(json.dumps(plan.identity()))
    different = [name.replace("_", " ") for name in mine if mine[name] != there.get(name)]
    if different:
        raise DataError(
            f"{folder} holds a set made otherwise ({', '.join(different)} differ); finish it with the same command, or choose "
            "another folder with --out"
        )
    return plan


def construct(
    plan: Plan,
    classifier: Classifier,
    data: LabelledImages,
    indices: Sequence[int],
    cancelled: Callable[[], bool] | None = None,
) -> list[Row]:
    """The rows of the set for these rows of the source, in one batch."""
    construction, device = plan.construction, classifier.device
    sources = _pixels(data.images[list(indices)]).to(device)
    labels, rows = data.labels[list(indices)], [data.row(index) for index in indices]
    starts: list[int | None] = [None] * len(indices)
    targets: list[int | None] = [None] * len(indices)
    if construction.matches:
        if construction.start == IMAGE:
            starts = [start_index(plan.seed, row, len(data)) for row in rows]
            begin = _pixels(data.images[[each for each in starts if each is not None]])
        else:
            begin = torch.stack([noise(plan.seed, row, data.images.shape[1:]) for row in rows])
        made = match(
            construction, classifier, sources, begin.to(device), precision=plan.precision, cancelled=cancelled
        )  # fmt: skip
        given = labels
    else:
        targets = [
            target_class(construction, plan.seed, row, int(label), len(plan.classes))
            for row, label in zip(rows, labels, strict=True)
        ]
        given = torch.tensor(targets, dtype=torch.int64)
        made = towards(construction, classifier, sources, labels, given, precision=plan.precision, cancelled=cancelled)
    stored = (made.images * 255).round().to(torch.uint8).cpu()
    with torch.no_grad():
        before = classifier(made.images).argmax(dim=1).cpu()
        after = classifier(_pixels(stored).to(device)).argmax(dim=1).cpu()
    least = made.objective.amin(dim=0).cpu()
    made_rows = []
    for i, (row, begun) in enumerate(zip(rows, starts, strict=True)):
        from_row, from_label = (None, None) if begun is None else (data.row(begun), int(data.labels[begun]))
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
class Progress:
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
    report: Callable[[Progress], None] = lambda progress: None,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    """Make this rank's missing shards, and the manifest when all are there; returns whether the set is complete.

    Raises :class:`DataError` where something can't be written, :class:`~explorer.attacks.Cancelled` when asked to stop.
    """
    mine = range(rank, plan.shards, world)
    total = sum(len(plan.shard(number)[1]) for number in mine)
    done, made, started = 0, 0, time.perf_counter()
    for number in mine:
        name, rows, stamp = plan.shard(number)
        path = folder / name
        wrong = check_shard(path, len(rows), stamp) if path.exists() else "missing"
        if wrong is None:
            done += len(rows)
            report(Progress(done, total, 0.0))
            continue
        if wrong != "missing":
            report(Progress(done, total, 0.0, f"{name} is made again: {wrong}"))
        finished: list[Row] = []
        batch = max(1, BATCH_VALUES.get(plan.device, BATCH_VALUES["cpu"]) // data.images[0].numel())
        while len(finished) < len(rows):
            try:
                finished += construct(plan, classifier, data, rows[len(finished) : len(finished) + batch], cancelled)
            except torch.OutOfMemoryError:
                if batch == 1:
                    raise DataError("one image alone does not fit into the device's memory; use --device cpu") from None
                batch = -(-batch // 2)
                continue
            made += len(rows[len(finished) - batch : len(finished)])
            report(Progress(done + len(finished), total, made / (time.perf_counter() - started)))
        write_shard(path, finished, plan.classes, stamp)
        done += len(rows)
    return _finish(plan, folder)


def _finish(plan: Plan, folder: Path) -> bool:
    """Write the manifest if every shard is in place. Ranks that end together write the same bytes."""
    shards = [plan.shard(number) for number in range(plan.shards)]
    if any(not (folder / name).is_file() for name, _, _ in shards):
        return False
    listed = [{"file": name, "rows": len(rows), "sha256": digest(folder / name)} for name, rows, _ in shards]
    manifest = {"plan": plan.digest, **plan.as_dict(), "shards": listed}
    put(folder / MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    return True
