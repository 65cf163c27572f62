"""Labelled images in memory, read from a Parquet file with the Hugging Face columns."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

from explorer.errors import UserError

Pixels = npt.NDArray[np.uint8]
View = Callable[[Image.Image], Pixels]

IMAGE_COLUMNS = ("img", "image")
_CELLS = 1000  # encoded pictures unpacked at a time


class DataError(UserError):
    """A data file that can't be used; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class LabelledImages:
    """``images`` uint8 [N, 3, H, W], ``labels`` int64 [N], the class names (empty when the file has none), and where each image
    was in its source, ``rows`` int64 [N] (None: in order)."""

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]
    rows: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> LabelledImages:
        """The rows at ``indices`` (int64 or bool [N])."""
        rows = torch.arange(len(self)) if self.rows is None else self.rows
        return LabelledImages(self.images[indices], self.labels[indices], self.names, rows[indices])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of images and labels."""
        found = hashlib.sha256(str(tuple(self.images.shape)).encode())
        found.update(self.images.contiguous().numpy().data)
        found.update(self.labels.contiguous().numpy().data)
        return found.hexdigest()

    def row(self, index: int) -> int:
        """Where the image at ``index`` was in its source."""
        return index if self.rows is None else int(self.rows[index])


def read_parquet(
    path: str | Path, limit: int | None = None, view: View | None = None
) -> LabelledImages:
    """Read columns ``img``/``image`` ({bytes, path}) and ``label``; the first ``limit`` rows when given. ``view`` makes uint8
    [H, W, 3] of each picture, so that pictures of different sizes can be brought to one.

    Raises :class:`DataError` when the file is missing, is no Parquet file, lacks the columns, or its images differ in size.
    """
    return labelled_of(read_table(path, limit), str(path), view)


def read_table(
    path: str | Path,
    limit: int | None = None,
    data: bytes | None = None,
    columns: Sequence[str] = (),
) -> pa.Table:
    """The picture and label columns of a Parquet file, and those of ``columns`` that it has; the first ``limit`` rows when given.

    ``data`` is the file's content where it has been read already. Raises :class:`DataError`.
    """
    path = Path(path)
    if data is None and not path.is_file():
        raise DataError(f"there is no file {path}")
    try:
        with pq.ParquetFile(
            path if data is None else pa.BufferReader(data), page_checksum_verification=True
        ) as file:
            there = file.schema_arrow.names
            column = next((name for name in IMAGE_COLUMNS if name in there), None)
            if column is None or "label" not in there:
                raise DataError(
                    f"{path} has the columns {', '.join(there)}; it needs img (or image) and label"
                )
            groups = rows = 0
            while groups < file.num_row_groups and (limit is None or rows < limit):
                rows += file.metadata.row_group(groups).num_rows
                groups += 1
            table = file.read_row_groups(
                range(groups),
                columns=[column, "label", *(name for name in columns if name in there)],
            )
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{path} is not a readable Parquet file ({str(error).splitlines()[0]})"
        ) from None
    return table if limit is None else table.slice(0, limit)


def labelled_of(table: pa.Table, where: str, view: View | None = None) -> LabelledImages:
    """The pictures and labels of a table from :func:`read_table`; ``where`` is what messages call it. Raises :class:`DataError`."""
    if not len(table):
        raise DataError(f"{where} has no rows")
    labels = table["label"]
    if not pa.types.is_integer(labels.type) or labels.null_count:
        raise DataError(
            f"the labels in {where} are {labels.type}; they must be whole numbers, one in each row"
        )
    images: Tensor | None = None
    row = 0
    for batch in table[
        next(name for name in IMAGE_COLUMNS if name in table.column_names)
    ].iterchunks():
        for start in range(0, len(batch), _CELLS):
            for cell in batch.slice(start, _CELLS).to_pylist():
                pixels = torch.from_numpy(_decode(cell, where, row, view)).permute(2, 0, 1)
                if images is None:
                    images = torch.empty((len(table), *pixels.shape), dtype=torch.uint8)
                if pixels.shape != images.shape[1:]:
                    raise DataError(
                        f"the images in {where} differ in size; they must all be the same"
                    )
                images[row] = pixels
                row += 1
    assert images is not None
    return LabelledImages(
        images, torch.from_numpy(labels.to_numpy().astype(np.int64)), class_names(table.schema)
    )


def _decode(cell: object, where: str, row: int, view: View | None) -> Pixels:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if not isinstance(data, bytes):
        raise DataError(f"row {row} of {where} holds no image bytes")
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        return np.array(image) if view is None else view(image)
    except Exception as error:  # Pillow lets many kinds through for damaged files
        raise DataError(f"row {row} of {where} is not a readable image ({error})") from None


def class_names(schema: pa.Schema) -> tuple[str, ...]:
    """The names of the classes as Hugging Face's ``datasets`` writes them; empty where there are none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features["label"]["names"])
    except (KeyError, TypeError, ValueError):
        return ()
