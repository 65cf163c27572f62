"""A constructed set on disk: Parquet shards with the Hugging Face columns, each moved into place when it is whole."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from torch import Tensor

from explorer.files import write_atomically

STAMP = b"explorer"  # the key of the metadata that says what a file belongs to
SHARDS = "data-*.parquet"
PLAN, MANIFEST = "plan.json", "manifest.json"
SHARD_ROWS = 500


@dataclass(frozen=True)
class Row:
    """One constructed image and where it came from.

    ``image`` uint8 [3, H, W]; ``label`` what the set says, ``source_label`` what the image ``source_index`` of the source is,
    ``start_index`` and ``start_label`` those of the image it was started from (None for noise and for the image itself), ``target``
    the class attacked towards (None where none was). ``objective`` is what was reached (see
    :class:`~explorer.datasets.constructed.constructions.Constructed`), ``reached`` whether the builder's classifier gave ``label`` before
    rounding to 8 bits, ``predicted`` what it says of the stored image.
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
        """Whether the stored image still has its label for the builder's classifier."""
        return self.predicted == self.label


def _schema(names: Sequence[str], stamp: dict[str, Any]) -> pa.Schema:
    classes = {"names": list(names), "_type": "ClassLabel"}
    features: dict[str, Any] = {
        "img": {"_type": "Image"},
        "label": classes,
        "source_label": classes,
        "predicted": classes,
    }
    for name in ("source_index", "start_index", "start_label", "target"):
        features[name] = {"dtype": "int64", "_type": "Value"}
    features |= {"objective": {"dtype": "float32", "_type": "Value"}}
    features |= {name: {"dtype": "bool", "_type": "Value"} for name in ("reached", "survives_8bit")}
    whole = pa.int64()
    return pa.schema(
        [
            ("img", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ("label", whole),
            ("source_index", whole),
            ("source_label", whole),
            ("start_index", whole),
            ("start_label", whole),
            ("target", whole),
            ("objective", pa.float32()),
            ("reached", pa.bool_()),
            ("predicted", whole),
            ("survives_8bit", pa.bool_()),
        ],
        metadata={
            b"huggingface": json.dumps({"info": {"features": features}}).encode(),
            STAMP: json.dumps(stamp).encode(),
        },
    )


def png(image: Tensor) -> bytes:
    """uint8 [3, H, W] as a lossless PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(buffer, "PNG")
    return buffer.getvalue()


def write_shard(
    path: Path, rows: Sequence[Row], names: Sequence[str], stamp: dict[str, Any]
) -> None:
    """Write ``rows`` to ``path``; ``stamp`` says what the shard belongs to. Raises :class:`DataError` where it can't be written."""
    columns: dict[str, list[Any]] = {
        "img": [{"bytes": png(row.image), "path": f"{row.source_index:06d}.png"} for row in rows],
    }
    for name in _schema(names, stamp).names[1:]:
        columns[name] = [getattr(row, name) for row in rows]
    write_atomically(path, _serialised(pa.table(columns, schema=_schema(names, stamp))))


def _serialised(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
    return buffer.getvalue()


def check_shard(path: Path, rows: int, names: Sequence[str], stamp: dict[str, Any]) -> str | None:
    """What is wrong with a shard that should have ``rows`` rows, these class ``names`` and this ``stamp``; None when nothing is."""
    try:
        data = path.read_bytes()
        with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
            table, writer = file.read(), file.metadata.created_by
        stamped = json.loads((table.schema.metadata or {}).get(STAMP, b"null"))
    except Exception as error:  # a damaged footer makes pyarrow raise many kinds
        return f"it can't be read ({(str(error).splitlines() or [type(error).__name__])[0]})"
    if stamped != stamp:
        return "it belongs to another job"
    if len(table) != rows:
        return f"it has {len(table)} rows instead of {rows}"
    try:
        again = _serialised(pa.table(table.columns, schema=_schema(names, stamp)))
    except (pa.ArrowException, ValueError):
        return "its columns are others"
    # Checksums guard the pages only. What this pyarrow wrote it would write again, byte for byte; another version might not.
    same_writer = pq.read_metadata(pa.BufferReader(again)).created_by == writer
    return "its bytes were changed" if same_writer and again != data else None


def shard_count(rows: int) -> int:
    """How many shards hold ``rows`` rows."""
    return -(-rows // SHARD_ROWS)
