"""Labelled images from Parquet files, in one piece or in shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from PIL import Image

from explorer.datasets.columns import FOUND, ColumnNames, find_columns, is_label
from explorer.datasets.labelled import (
    DataError,
    LabelledImages,
    Preprocess,
    reading,
    stack_images,
)
from explorer.errors import short
from explorer.images.decode import decode_image

# A file of a few kilobytes can repeat one cell, or one large flat picture, a million times. No file
# of ordinary pictures comes near these: a flat PNG of 224×224 has 80 pixels a byte.
_PIXELS, _PIXELS_PER_BYTE = 64_000_000, 500
_BYTES, _BYTES_PER_BYTE = 2**26, 50
_SIGNATURE = b"PAR1"
_ROWS, _BYTES_PER_ROW = 20_000, 30  # the smallest PNG has 67 bytes, and compresses


def read_parquet(path: str | Path, limit: int | None = None) -> LabelledImages:
    """The first ``limit`` rows of a file with a column of pictures and one of labels.

    Raises :class:`DataError` if the file is missing, is not Parquet, lacks the columns, or if its
    pictures can't be read or differ in size.
    """
    return labelled_images(read_table(path, limit), str(path))


def read_shards(
    paths: Sequence[Path],
    limit: int | None = None,
    columns: Sequence[str] = (),
    named: ColumnNames = FOUND,
) -> pa.Table:
    """The rows of several files, in their order, as :func:`read_table` reads each.

    Raises :class:`DataError`, also if their columns differ.
    """
    tables: list[pa.Table] = []
    left = limit
    for path in paths:
        tables.append(read_table(path, left, columns=columns, named=named))
        if left is not None and (left := left - len(tables[-1])) <= 0:
            break
    try:
        return pa.concat_tables(tables)
    except pa.ArrowException:
        raise DataError(
            f"{paths[0]} and {paths[len(tables) - 1]} have different columns; name files of one set"
        ) from None


def read_table(
    path: str | Path,
    limit: int | None = None,
    data: bytes | None = None,
    columns: Sequence[str] = (),
    named: ColumnNames = FOUND,
) -> pa.Table:
    """The picture and label columns of a Parquet file, and those of ``columns`` that it has.

    ``limit`` keeps the first rows; ``data`` is the file's content if it has been read already;
    ``named`` are the columns that a person named. Raises :class:`DataError`.
    """
    path = Path(path)
    if data is None:
        with reading(path):
            if not path.is_file():
                raise DataError(f"there is no file {path}; check the path")
            with path.open("rb") as start:  # pyarrow's error is the same for a damaged file
                _check_kind(start.read(len(_SIGNATURE)), path)
            content, size = path, path.stat().st_size
    else:
        _check_kind(data, path)
        content, size = pa.BufferReader(data), len(data)
    try:
        with pq.ParquetFile(content) as file:
            paths = {file.schema.column(index).path for index in range(len(file.schema))}
            found = find_columns(file.schema_arrow, str(path), named)
        # As a dictionary a cell that is repeated takes its memory once.
        encoded = [each for each in (found.image, f"{found.image}.bytes") if each in paths]
        with pq.ParquetFile(
            content, page_checksum_verification=True, read_dictionary=encoded
        ) as file:
            names = file.schema_arrow.names
            wanted = [found.image, found.label, *(each for each in columns if each in names)]
            table = _read_columns(file, path, size, limit, list(dict.fromkeys(wanted)))
            table.validate(full=True)  # a damaged dictionary has fewer values than it is asked for
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = short(str(error).partition("\n")[0])
        raise DataError(
            f"{path} is damaged or cut short ({reason}); download or save it again"
        ) from None
    return table if limit is None else table.slice(0, limit)


def _check_kind(start: bytes, path: Path) -> None:
    if not start:
        raise DataError(f"{path} is empty; download or save it again")
    if not start.startswith(_SIGNATURE):
        raise DataError(
            f"{path} is not a Parquet file; name one, or a folder of pictures with a sub-folder "
            "per class"
        )


def _read_columns(
    file: pq.ParquetFile, path: Path, size: int, limit: int | None, columns: Sequence[str]
) -> pa.Table:
    """The row groups that hold the first ``limit`` rows of a file of ``size`` bytes."""
    names = file.schema_arrow.names
    if twice := [name for name in columns if names.count(name) > 1]:
        raise DataError(f"{path} has several columns named {twice[0]}; keep one of them")
    groups = rows = 0
    while groups < file.num_row_groups and (limit is None or rows < limit):
        rows += file.metadata.row_group(groups).num_rows
        groups += 1
    unpacked = sum(file.metadata.row_group(group).total_byte_size for group in range(groups))
    if unpacked > max(_BYTES, _BYTES_PER_BYTE * size):
        raise DataError(
            f"{path} unpacks to {unpacked / 2**20:.0f} MiB, far too much for its size; "
            "give another file"
        )
    if rows > max(_ROWS, size // _BYTES_PER_ROW):
        raise DataError(f"{path} has {rows:,} rows, far too many for its size; give another file")
    # One by one: pyarrow can't give a dictionary inside of a struct for several at once.
    tables = [file.read_row_group(group, columns=columns) for group in range(groups)]
    return pa.concat_tables([file.schema_arrow.empty_table().select(columns), *tables])


def labelled_images(
    table: pa.Table,
    where: str,
    preprocess: Preprocess | None = None,
    named: ColumnNames = FOUND,
) -> LabelledImages:
    """The pictures and labels of a table from :func:`read_table`, with the same ``named``;
    ``where`` names it in messages.

    Labels that are texts become the classes' names, in alphabetical order. Raises
    :class:`DataError` as :func:`stack_images` does, and if labels are neither.
    """
    if not len(table):
        raise DataError(f"{where} has no rows; give a file with pictures")
    columns = find_columns(table.schema, where, named)
    labels, classes = _labels(table[columns.label], columns.classes, where)
    pictures = _pictures(table[columns.image], table.nbytes, where)
    images = stack_images(pictures, len(table), where, preprocess)
    return LabelledImages(images, torch.from_numpy(labels), classes)


def _labels(
    column: pa.ChunkedArray, classes: tuple[str, ...], where: str
) -> tuple[np.ndarray, tuple[str, ...]]:
    if not is_label(column.type) or column.null_count:
        must = "they must be whole numbers or texts, one in each row"
        raise DataError(f"the labels in {where} are {column.type}; {must}")
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type):
        return column.to_numpy().astype(np.int64), classes
    names = sorted(column.unique().to_pylist())
    indices = pc.index_in(column, value_set=pa.array(names, column.type))
    return indices.to_numpy().astype(np.int64), tuple(names)


def _pictures(
    column: pa.ChunkedArray, bytes_: int, where: str
) -> Iterator[tuple[str, Image.Image]]:
    """Each row's name for messages, and its decoded picture.

    The checks of ``decode_image`` cost 7 % of the time: 68 µs for a JPEG of 32×32 instead of 64.
    """
    left = max(_PIXELS, _PIXELS_PER_BYTE * bytes_)
    for row, cell in enumerate(cell for chunk in column.iterchunks() for cell in chunk):
        value = cell.as_py()
        data = value.get("bytes") if isinstance(value, dict) else value
        name = f"row {row} of {where}"
        if not isinstance(data, bytes):
            raise DataError(f"{name} holds no image bytes; give a file with pictures")
        picture = decode_image(data, name).image
        left -= picture.width * picture.height
        if left < 0:
            raise DataError(
                f"the pictures up to {name} have far too many pixels for its size; "
                "give another file"
            )
        yield name, picture
