"""Labelled images in memory, and how they are read from Parquet files with Hugging Face columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor

from explorer.errors import UserError, short
from explorer.images.decode import ImageError, decode_image

Pixels = npt.NDArray[np.uint8]
Preprocess = Callable[[Image.Image], Pixels]  # uint8 [H, W, 3] of a picture

_CHANNELS = (1, 3)  # grey, colour
IMAGE_COLUMNS = ("img", "image")
_ENCODED = (*IMAGE_COLUMNS, *(f"{name}.bytes" for name in IMAGE_COLUMNS))
# A file of a few kilobytes can repeat one cell, or one large flat picture, a million times. No file
# of ordinary pictures comes near these: a flat PNG of 224×224 has 80 pixels a byte.
_PIXELS, _PIXELS_PER_BYTE = 64_000_000, 500
_BYTES, _BYTES_PER_BYTE = 2**26, 50
_ROWS, _BYTES_PER_ROW = 20_000, 30  # the smallest PNG has 67 bytes, and compresses


class DataError(UserError):
    """A data set that can't be used; the message says what is wrong and what to do."""


@contextmanager
def reading(path: str | Path) -> Iterator[None]:
    """Turn an :class:`OSError` of reading ``path``, or a file in it, into a :class:`DataError`."""
    try:
        yield
    except OSError as error:
        where = path if error.filename is None else error.filename
        reason = error.strerror or str(error)
        raise DataError(
            f"{where} can't be read ({reason}); check the path and its permissions"
        ) from None


@dataclass(frozen=True)
class LabelledImages:
    """``images`` uint8 [N, 3, H, W], or [N, 1, H, W] in grey, with ``labels`` int64 [N].

    ``names`` are the classes' names, empty if the data has none. ``rows`` int64 [N] is the position
    of each image in its source; None means 0 to N − 1. Images and labels may be given as NumPy
    arrays, and labels as a list. Raises :class:`DataError` for others.
    """

    images: Tensor
    labels: Tensor
    names: tuple[str, ...]
    rows: Tensor | None = None

    def __post_init__(self) -> None:
        images = _checked_images(_tensor("images", self.images))
        labels = _checked_labels(_tensor("labels", self.labels), len(images))
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Tensor) -> LabelledImages:
        """The images at ``indices`` (int64, or bool [N])."""
        rows = torch.arange(len(self)) if self.rows is None else self.rows
        return LabelledImages(self.images[indices], self.labels[indices], self.names, rows[indices])

    @cached_property
    def digest(self) -> str:
        """SHA-256 of images and labels."""
        sha = hashlib.sha256(str(tuple(self.images.shape)).encode())
        sha.update(self.images.contiguous().numpy().data)
        sha.update(self.labels.contiguous().numpy().data)
        return sha.hexdigest()

    def row(self, index: int) -> int:
        """The position in its source of the image at ``index``."""
        return index if self.rows is None else int(self.rows[index])


def _tensor(name: str, values: Any) -> Tensor:
    if isinstance(values, Tensor):
        return values
    try:
        return torch.from_numpy(np.array(values, order="C"))
    except (TypeError, ValueError):
        kind = type(values).__name__
        raise DataError(f"{name} can't be of type {kind}; give a tensor or an array") from None


def _checked_images(images: Tensor) -> Tensor:
    shape, kind = list(images.shape), str(images.dtype).removeprefix("torch.")
    problem = f"images must be uint8 [N, 3, H, W]; they are {kind} {shape}"
    if len(shape) == 4 and shape[1] not in _CHANNELS and shape[3] in _CHANNELS:
        raise DataError(f"{problem}, with the colours last: use torch's permute(0, 3, 1, 2)")
    if len(shape) != 4 or shape[1] not in _CHANNELS:
        raise DataError(problem)
    if images.dtype != torch.uint8:
        raise DataError(f"{problem}: for pixels in [0, 1], (images * 255).round().to(torch.uint8)")
    return images


def _checked_labels(labels: Tensor, count: int) -> Tensor:
    is_whole = not (labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool)
    if labels.shape != (count,) or not is_whole:
        kind = str(labels.dtype).removeprefix("torch.")
        raise DataError(
            f"labels must be class indices, int64 [{count}]; they are {kind} {list(labels.shape)}"
        )
    return labels.long()


def read_parquet(path: str | Path, limit: int | None = None) -> LabelledImages:
    """The first ``limit`` rows of a file with the columns ``img`` or ``image``, and ``label``.

    Raises :class:`DataError` if the file is missing, is not Parquet, lacks the columns, or if its
    pictures can't be read or differ in size.
    """
    return labelled_images(read_table(path, limit), str(path))


def read_table(
    path: str | Path,
    limit: int | None = None,
    data: bytes | None = None,
    columns: Sequence[str] = (),
) -> pa.Table:
    """The picture and label columns of a Parquet file, and those of ``columns`` that it has.

    ``limit`` keeps the first rows; ``data`` is the file's content if it has been read already.
    Raises :class:`DataError`.
    """
    path = Path(path)
    if data is None:
        with reading(path):
            if not path.is_file():
                raise DataError(f"there is no file {path}")
            path.open("rb").close()  # pyarrow's own error would not tell this from a damaged file
            content, size = path, path.stat().st_size
    else:
        content, size = pa.BufferReader(data), len(data)
    try:
        with pq.ParquetFile(content) as file:
            paths = {file.schema.column(index).path for index in range(len(file.schema))}
        # As a dictionary a cell that is repeated takes its memory once.
        encoded = [path for path in _ENCODED if path in paths]
        with pq.ParquetFile(
            content, page_checksum_verification=True, read_dictionary=encoded
        ) as file:
            table = _read_columns(file, path, size, limit, columns)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = short(str(error).partition("\n")[0])
        raise DataError(f"{path} is not a readable Parquet file ({reason})") from None
    return table if limit is None else table.slice(0, limit)


def _read_columns(
    file: pq.ParquetFile, path: Path, size: int, limit: int | None, columns: Sequence[str]
) -> pa.Table:
    """The row groups that hold the first ``limit`` rows of a file of ``size`` bytes."""
    names = file.schema_arrow.names
    image_column = next((name for name in IMAGE_COLUMNS if name in names), None)
    if image_column is None or "label" not in names:
        needed = "it needs img (or image) and label"
        raise DataError(f"{path} has the columns {short(', '.join(names))}; {needed}")
    twice = [name for name in (image_column, "label", *columns) if names.count(name) > 1]
    if twice:
        raise DataError(f"{path} has several columns named {twice[0]}; keep one of them")
    groups = rows = 0
    while groups < file.num_row_groups and (limit is None or rows < limit):
        rows += file.metadata.row_group(groups).num_rows
        groups += 1
    wanted = [image_column, "label", *(name for name in columns if name in names)]
    unpacked = sum(file.metadata.row_group(group).total_byte_size for group in range(groups))
    if unpacked > max(_BYTES, _BYTES_PER_BYTE * size):
        raise DataError(f"{path} unpacks to {unpacked / 2**20:.0f} MiB, far too much for its size")
    if rows > max(_ROWS, size // _BYTES_PER_ROW):
        raise DataError(f"{path} has {rows:,} rows, far too many for its size")
    return file.read_row_groups(range(groups), columns=wanted)


def labelled_images(
    table: pa.Table, where: str, preprocess: Preprocess | None = None
) -> LabelledImages:
    """The pictures and labels of a table from :func:`read_table`; ``where`` names it in messages.

    Raises :class:`DataError` as :func:`stack_images` does, and if the labels aren't whole numbers.
    """
    if not len(table):
        raise DataError(f"{where} has no rows")
    labels = table["label"]
    if not pa.types.is_integer(labels.type) or labels.null_count:
        must = "they must be whole numbers, one in each row"
        raise DataError(f"the labels in {where} are {labels.type}; {must}")
    images = stack_images(_pictures(table, where), len(table), where, preprocess)
    classes = torch.from_numpy(labels.to_numpy().astype(np.int64))
    return LabelledImages(images, classes, class_names(table.schema))


def _pictures(table: pa.Table, where: str) -> Iterator[tuple[str, Image.Image]]:
    """Each row's name for messages, and its decoded picture.

    The checks of ``decode_image`` cost 7 % of the time: 68 µs for a JPEG of 32×32 instead of 64.
    """
    column = table[next(name for name in IMAGE_COLUMNS if name in table.column_names)]
    left = max(_PIXELS, _PIXELS_PER_BYTE * table.nbytes)
    for row, cell in enumerate(cell for chunk in column.iterchunks() for cell in chunk):
        value = cell.as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        name = f"row {row} of {where}"
        if not isinstance(data, bytes):
            raise DataError(f"{name} holds no image bytes")
        picture = decode_image(data, name).image
        left -= picture.width * picture.height
        if left < 0:
            raise DataError(f"the pictures up to {name} have far too many pixels for its size")
        yield name, picture


def stack_images(
    pictures: Iterable[tuple[str, Image.Image]],
    count: int,
    where: str,
    preprocess: Preprocess | None = None,
) -> Tensor:
    """``count`` pictures, each with its name for messages, as uint8 [count, 3, H, W].

    Pictures of different sizes need a ``preprocess`` that makes them equal. Raises
    :class:`DataError` if sizes differ or decoding a picture raised :class:`ImageError`.
    """
    images = torch.empty(0)
    first = ""
    try:
        for index, (name, image) in enumerate(pictures):
            array = np.array(image) if preprocess is None else preprocess(image)
            pixels = torch.from_numpy(array).permute(2, 0, 1)
            if index == 0:
                images, first = torch.empty((count, *pixels.shape), dtype=torch.uint8), name
            if pixels.shape != images.shape[1:]:
                differing = f"the pictures in {where} differ in size ({name} from {first})"
                raise DataError(f"{differing}; they must all be the same")
            images[index] = pixels
    except ImageError as error:
        raise DataError(str(error)) from None
    return images


def class_names(schema: pa.Schema) -> tuple[str, ...]:
    """The classes' names as Hugging Face's ``datasets`` stores them; empty if there are none."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return tuple(str(name) for name in features["label"]["names"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return ()
