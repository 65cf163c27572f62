"""The plan of a constructed set: all that its bytes depend on, written before any work is done."""

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
from explorer.datasets.constructed.manifest import PLAN
from explorer.datasets.constructed.shards import Shard, split_into_shards
from explorer.datasets.labelled import DataError, LabelledImages
from explorer.engine import PRECISIONS, gradient_model
from explorer.files import create_first

FORMAT = 1
_REMEDY = "remove the folder or choose another with --out"

_DESCRIPTIONS = {
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
    """All that the bytes of a built set depend on.

    ``rows`` are indices into the source's data after held-out images were removed. The field names
    are part of the digest.
    """

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
        """The plan as ``plan.json`` has it."""
        fields = asdict(self)
        return {
            "format": FORMAT,
            **fields,
            "rows": list(self.rows),
            "classes": list(self.classes),
        }

    def identity(self) -> dict[str, Any]:
        """What decides the bytes: everything but the path of the source."""
        return {name: value for name, value in self.as_dict().items() if name != "source"}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of :meth:`identity`."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """The files of the set."""
        return split_into_shards(self.rows, self.digest)


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
    """The plan of building ``construction`` with ``classifier`` from ``rows`` of ``data``.

    None stands for all rows; ``source`` is where the data came from.
    Raises :class:`DataError` if there are no rows.
    """
    chosen = tuple(range(len(data)) if rows is None else rows)
    if not chosen:
        raise DataError(f"{source} leaves no images to build from; choose other data")
    return Plan(
        construction=construction,
        model=classifier.name,
        weights_digest=classifier.digest,
        source=source,
        source_digest=data.digest,
        seed=seed,
        rows=chosen,
        classes=classifier.labels,
        precision=gradient_model(classifier, precision)[1],
        device=classifier.device.type,
        torch=torch.__version__,
    )


def load_or_write_plan(plan: Plan, folder: Path, *, automatic: bool) -> Plan:
    """Write the plan into ``folder``, or check that it equals the one there; returns the latter.

    With ``automatic`` precision, later ranks and restarts adopt the precision of the first. Raises
    :class:`DataError` if the folder has another plan, naming the differences.
    """
    path = folder / PLAN
    if create_first(path, json.dumps(plan.as_dict(), indent=1).encode()):
        return plan
    stored = _read_plan(path)
    if automatic:
        if stored.get("precision") not in PRECISIONS:
            raise DataError(f"{path} names no known precision; {_REMEDY}")
        plan = replace(plan, precision=str(stored.get("precision")))
    identity = json.loads(json.dumps(plan.identity()))
    differences = [
        _DESCRIPTIONS[name] for name, value in identity.items() if value != stored.get(name)
    ]
    if differences:
        raise DataError(
            f"{folder} holds another set: {' and '.join(differences)} differ. Finish it "
            "with the command it was begun with, or choose another folder with --out"
        )
    return plan


def _read_plan(path: Path) -> dict[str, Any]:
    try:
        stored = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        raise DataError(f"{path} can't be read; {_REMEDY}") from None
    if not isinstance(stored, dict):
        raise DataError(f"{path} can't be read; {_REMEDY}")
    return stored
