"""The Parquet files of a constructed set, with columns that Hugging Face's ``datasets`` reads."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from torch import Tensor

from explorer.files import write_atomically
from explorer.images.geometry import picture_of

STAMP = b"explorer"  # the metadata key whose value says what a file belongs to
SHARD_ROWS = 500

_CLASSES = ("label", "source_label", "predicted")
_INTEGERS = ("source_index", "start_index", "start_label", "target")
_BOOLEANS = ("reached", "survives_8bit")
_COLUMNS = {
    "label": pa.int64(),
    "source_index": pa.int64(),
    "source_label": pa.int64(),
    "start_index": pa.int64(),
    "start_label": pa.int64(),
    "target": pa.int64(),
    "objective": pa.float32(),
    "reached": pa.bool_(),
    "predicted": pa.int64(),
    "survives_8bit": pa.bool_(),
}


@dataclass(frozen=True)
class Row:
    """One image of a constructed set and its origin.

    ``image``: uint8 [3, H, W].
    ``label``: the class that the set gives it.
    ``source_index``, ``source_label``: the image of the source that it was made from.
    ``start_index``, ``start_label``: the image that matching began at; None for noise and for the
    attacked sets.
    ``target``: the class of the attack, None for the matched sets.
    ``objective``: the smallest value of
    :class:`~explorer.datasets.constructed.constructions.ConstructionResult`.
    ``reached``: whether the classifier it was built with gave ``label`` before rounding to 8 bits.
    ``predicted``: the class which that classifier gives the stored image.
    """

    image: Tensor
    label: int
    source_index: int
    source_label: int
    start_index: int | None
    start_label: int | None
    target: int | None
    objective: float
    reached: bool
    predicted: int

    @property
    def survives_8bit(self) -> bool:
        """Whether the classifier it was built with gives the stored image its label."""
        return self.predicted == self.label


class Shard(NamedTuple):
    """A file's ``name``, the ``rows`` of the source it is made from, and its ``stamp``."""

    name: str
    rows: tuple[int, ...]
    stamp: dict[str, Any]


def split_into_shards(rows: Sequence[int], plan_digest: str) -> tuple[Shard, ...]:
    """The shards of a set that is made from ``rows`` of its source."""
    count = shard_count(len(rows))
    return tuple(
        Shard(
            f"data-{number:05d}-of-{count:05d}.parquet",
            tuple(rows[number * SHARD_ROWS : (number + 1) * SHARD_ROWS]),
            {"plan": plan_digest, "shard": number},
        )
        for number in range(count)
    )


def shard_count(rows: int) -> int:
    """How many shards hold ``rows`` rows."""
    return -(-rows // SHARD_ROWS)


def _schema(names: Sequence[str], stamp: dict[str, Any]) -> pa.Schema:
    classes = {"names": list(names), "_type": "ClassLabel"}
    features: dict[str, Any] = {"img": {"_type": "Image"}}
    features |= dict.fromkeys(_CLASSES, classes)
    features |= {name: {"dtype": "int64", "_type": "Value"} for name in _INTEGERS}
    features |= {"objective": {"dtype": "float32", "_type": "Value"}}
    features |= {name: {"dtype": "bool", "_type": "Value"} for name in _BOOLEANS}
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    metadata = {
        b"huggingface": json.dumps({"info": {"features": features}}).encode(),
        STAMP: json.dumps(stamp).encode(),
    }
    return pa.schema([("img", image), *_COLUMNS.items()], metadata=metadata)


def png_bytes(image: Tensor) -> bytes:
    """uint8 [3, H, W], or [1, H, W] in grey, as the bytes of a PNG file."""
    buffer = io.BytesIO()
    picture_of(image).save(buffer, "PNG")
    return buffer.getvalue()


def write_shard(
    path: Path, rows: Sequence[Row], names: Sequence[str], stamp: dict[str, Any]
) -> None:
    """Write ``rows`` to ``path``; ``names`` are the classes' and ``stamp`` says what it belongs to.

    Raises :class:`~explorer.files.FileError` if it can't be written.
    """
    columns: dict[str, list[Any]] = {
        "img": [
            {"bytes": png_bytes(row.image), "path": f"{row.source_index:06d}.png"} for row in rows
        ]
    }
    columns |= {name: [getattr(row, name) for row in rows] for name in _COLUMNS}
    write_atomically(path, _serialise(pa.table(columns, schema=_schema(names, stamp))))


def _serialise(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def check_shard(path: Path, rows: int, names: Sequence[str], stamp: dict[str, Any]) -> str | None:
    """What is wrong with a shard that should have ``rows`` rows; None if nothing is."""
    try:
        data = path.read_bytes()
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
            table, writer = file.read(), file.metadata.created_by
        stored_stamp = json.loads((table.schema.metadata or {}).get(STAMP, b"null"))
    except Exception as error:  # a damaged footer makes pyarrow raise many kinds
        return f"it can't be read ({(str(error).splitlines() or [type(error).__name__])[0]})"
    if stored_stamp != stamp:
        return "it belongs to another job"
    if len(table) != rows:
        return f"it has {len(table)} rows instead of {rows}"
    try:
        expected = _serialise(pa.table(table.columns, schema=_schema(names, stamp)))
    except (pa.ArrowException, ValueError):
        return "it has other columns"
    # Checksums protect the pages only. The same version of pyarrow writes the same table as the
    # same bytes; another version might not.
    same_writer = pq.read_metadata(pa.BufferReader(expected)).created_by == writer
    return "its bytes were changed" if same_writer and expected != data else None
