"""Labelled images in memory, read from a Parquet file with the Hugging Face columns."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

Pixels = npt.NDArray[np.uint8]
View = Callable[[Image.Image], Pixels]

IMAGE_COLUMNS = ("img", "image")


class DataError(ValueError):
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

    def row(self, index: int) -> int:
        """Where the image at ``index`` was in its source."""
        return index if self.rows is None else int(self.rows[index])


def read_parquet(path: str | Path, limit: int | None = None, view: View | None = None) -> LabelledImages:
    """Read columns ``img``/``image`` ({bytes, path}) and ``label``; the first ``limit`` rows when given. ``view`` makes uint8
    [H, W, 3] of each picture, so that pictures of different sizes can be brought to one.

    Raises :class:`DataError` when the file is missing, is no Parquet file, lacks the columns, or its images differ in size.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"{path} is not a readable Parquet file: {error}") from error
    column = next((name for name in IMAGE_COLUMNS if name in table.column_names), None)
    if column is None or "label" not in table.column_names:
        raise DataError(f"{path} has the columns {', '.join(table.column_names)}; it needs img (or image) and label")
    if limit is not None:
        table = table.slice(0, limit)
    arrays = [_decode(cell, path, row, view) for row, cell in enumerate(table[column].to_pylist())]
    if len({array.shape for array in arrays}) > 1:
        raise DataError(f"the images in {path} differ in size; they must all be the same")
    if not arrays:
        raise DataError(f"{path} has no rows")
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor(table["label"].to_pylist(), dtype=torch.int64)
    return LabelledImages(images, labels, _class_names(table.schema))


def _decode(cell: object, path: Path, row: int, view: View | None) -> Pixels:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    if not isinstance(data, bytes):
        raise DataError(f"row {row} of {path} holds no image bytes")
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
        return np.asarray(image) if view is None else view(image)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"row {row} of {path} is not a readable image: {error}") from error


def _class_names(schema: pa.Schema) -> tuple[str, ...]:
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(features["label"]["names"])
    except (KeyError, TypeError, ValueError):
        return ()


def twins(images: Tensor, others: Tensor) -> Tensor:
    """For each of ``others`` the index of the most similar of ``images`` (both uint8 [N, 3, H, W]); int64 [len(others)].

    Finds an image again after re-compression, to keep held-out originals out of a training set.
    """
    flat = images.flatten(1).float()
    flat -= flat.mean(dim=1, keepdim=True)
    flat /= flat.norm(dim=1, keepdim=True).clamp_min(1e-6)
    nearest = []
    for chunk in others.flatten(1).float().split(256):
        chunk = chunk - chunk.mean(dim=1, keepdim=True)
        nearest.append((chunk @ flat.T).argmax(dim=1))
    return torch.cat(nearest)
