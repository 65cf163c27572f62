"""The plan of a constructed set: all that its bytes depend on, written into the set's folder before any work is done."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from explorer.classifiers import Classifier
from explorer.datasets.constructed.constructions import Construction
from explorer.datasets.constructed.shards import PLAN, SHARD_ROWS, shard_count
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.engine.precision import at_precision
from explorer.files import create_first

FORMAT = 1

_WORDS = {
    "construction": "the construction's parameters",
    "model": "the model",
    "weights_digest": "the model's weights",
    "source_digest": "the data",
    "seed": "the seed",
    "rows": "the rows",
    "classes": "the classes",
    "precision": "the precision",
    "device": "the kind of device",
    "torch": "torch's version",
    "format": "the format",
}


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
        return {
            "format": FORMAT,
            **asdict(self),
            "rows": list(self.rows),
            "classes": list(self.classes),
        }

    def identity(self) -> dict[str, Any]:
        """What decides the bytes; where the source was found does not."""
        return {name: value for name, value in self.as_dict().items() if name != "source"}

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()

    @property
    def shards(self) -> int:
        return shard_count(len(self.rows))

    def shard(self, number: int) -> tuple[str, tuple[int, ...], dict[str, Any]]:
        """A shard's file name, the rows of the source it is made from, and its stamp."""
        rows = self.rows[number * SHARD_ROWS : (number + 1) * SHARD_ROWS]
        return (
            f"data-{number:05d}-of-{self.shards:05d}.parquet",
            rows,
            {"plan": self.digest, "shard": number},
        )


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
        construction,
        classifier.name,
        classifier.digest,
        source,
        data.digest,
        seed,
        tuple(range(len(data)) if rows is None else rows),
        classifier.labels,
        at_precision(classifier, precision)[1],
        classifier.device.type,
        torch.__version__,
    )


def load_or_write_plan(plan: Plan, folder: Path, *, automatic: bool) -> Plan:
    """Write the plan into ``folder``, or check that the one there is the same; returns the one that holds.

    With ``automatic`` precision a rank, or a later start, takes over the precision of the first. Raises :class:`DataError` when the
    folder belongs to another plan, naming what differs.
    """
    if create_first(folder / PLAN, json.dumps(plan.as_dict(), indent=1).encode()):
        return plan
    path = folder / PLAN
    try:
        there = json.loads(path.read_text())
        if not isinstance(there, dict):
            raise ValueError
    except (OSError, ValueError):
        raise DataError(
            f"{path} can't be read; remove the folder or choose another with --out"
        ) from None
    if automatic:
        plan = replace(plan, precision=str(there.get("precision")))
    mine = json.loads(json.dumps(plan.identity()))
    different = [_WORDS[name] for name in mine if mine[name] != there.get(name)]
    if different:
        raise DataError(
            f"{folder} holds a set made otherwise: {' and '.join(different)} differ. Finish it with the command it was begun with, or "
            "choose another folder with --out"
        )
    return plan
