"""A constructed set read back: our own folder of shards or one Parquet file, the authors' release, or any labelled images."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from explorer.datasets.constructed.constructions import CONSTRUCTIONS
from explorer.datasets.constructed.mit_release import (
    FOLDERS,
    is_release,
    read_release,
    release_sets,
)
from explorer.datasets.constructed.shards import MANIFEST, PLAN, SHARDS, STAMP, shard_count
from explorer.datasets.image_folder import read_folder
from explorer.datasets.labelled import DataError, LabelledImages, View, labelled_of, read_table

_WHOLE = ("source_index", "source_label", "start_index", "start_label", "target", "predicted")
_TRUTHS = ("reached", "survives_8bit")
_COLUMNS = (*_WHOLE, "objective", *_TRUTHS)


@dataclass(frozen=True)
class ConstructedSet:
    """Images, the labels they carry, and, where the file says so, where they came from.

    ``name``: "d_r", "d_nr", "d_rand", "d_det", or "" where unknown. Per image (see :class:`~explorer.datasets.constructed.shards.Row`):
    ``source_index`` … ``predicted`` int64 [N], −1 where there is none; ``objective`` float32 [N]; ``reached``, ``survives_8bit``
    bool [N]; all None for sets that are not ours. ``about`` is the plan it was built by, {} for sets that are not ours.
    """

    name: str
    title: str
    data: LabelledImages
    source_index: Tensor | None = None
    source_label: Tensor | None = None
    start_index: Tensor | None = None
    start_label: Tensor | None = None
    target: Tensor | None = None
    predicted: Tensor | None = None
    objective: Tensor | None = None
    reached: Tensor | None = None
    survives_8bit: Tensor | None = None
    about: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.data)

    @property
    def digest(self) -> str:
        """SHA-256 of images and labels."""
        return self.data.digest


def read_set(
    path: str | Path, limit: int | None = None, view: View | None = None
) -> ConstructedSet:
    """The set at ``path``, the first ``limit`` images when given: a folder that ``build`` finished, a Parquet file (one of ours or
    any with ``img``/``image`` and ``label``), a set of the authors' release, or a folder with a sub-folder per class.

    ``view`` makes uint8 [H, W, 3] of each picture of a file or folder that is not ours; without it they must be of one size.

    Raises :class:`~explorer.datasets.labelled.DataError`: it is not there, not finished, damaged (naming the file), or none of these.
    """
    path = Path(path)
    if path.is_file():
        return _of_table(read_table(path, limit, columns=_COLUMNS), str(path), path.stem, view=view)
    if not path.is_dir():
        raise DataError(f"there is no file or folder {path}")
    if (path / MANIFEST).is_file():
        return _read_built(path, limit)
    if (path / PLAN).is_file():
        raise DataError(_unfinished(path))
    if is_release(path):
        data, about = read_release(path, limit)
        return _foreign(data, FOLDERS.get(path.name, ""), path.name, about)
    if found := release_sets(path):
        raise DataError(
            f"{path} holds {len(found)} sets, {', '.join(each.name for each in found)}; name one, such as {found[0]}"
        )
    if files := sorted(path.glob("*.parquet")):
        raise DataError(
            f"{path} holds Parquet files but no {MANIFEST}; name one of the files, such as {files[0]}"
        )
    return _foreign(read_folder(path, limit, view), "", path.name, {})


def _read_built(folder: Path, limit: int | None) -> ConstructedSet:
    manifest = _json(folder / MANIFEST)
    try:
        listed = [
            (str(each["file"]), str(each["sha256"]), int(each["rows"]))
            for each in manifest["shards"]
        ]
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{folder / MANIFEST} lists no shards; start the same build command again to mend it"
        ) from None
    tables, rows = [], 0
    for name, digest, count in listed:
        if limit is not None and rows >= limit:
            break
        tables.append(_shard(folder, name, digest))
        rows += count
    if not tables:
        raise DataError(
            f"{folder / MANIFEST} lists no shards; start the same build command again to mend it"
        )
    table = pa.concat_tables(tables)
    about = {name: value for name, value in manifest.items() if name != "shards"}
    return _of_table(
        table if limit is None else table.slice(0, limit), str(folder), folder.name, about
    )


def _shard(folder: Path, name: str, digest: str) -> pa.Table:
    path = folder / Path(name).name  # a manifest names files of its own folder only
    try:
        data = path.read_bytes()
    except OSError:
        raise DataError(
            f"{path} is missing or can't be read; start the same build command again to make it"
        ) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise DataError(
            f"{path} was changed or damaged since the set was built; start the same build command again to mend it"
        )
    return read_table(path, data=data, columns=_COLUMNS)


def _of_table(
    table: pa.Table,
    where: str,
    fallback: str,
    about: dict[str, Any] | None = None,
    view: View | None = None,
) -> ConstructedSet:
    ours = STAMP in (
        table.schema.metadata or {}
    )  # pictures of ours are as their classifier sees them
    data = labelled_of(table, where, None if ours else view)
    about = _stamped(table) if about is None else about
    missing = [name for name in _COLUMNS if name not in table.column_names]
    if missing:
        return _foreign(data, "", fallback, about)
    try:
        whole = {name: _values(table, name, pa.int64(), -1) for name in _WHOLE}
        truths = {name: _values(table, name, pa.bool_(), False) for name in _TRUTHS}
        objective = _values(table, "objective", pa.float32(), float("nan"))
    except pa.ArrowException:
        return _foreign(data, "", fallback, about)  # columns of the same names, but of another kind
    name, title = _names(about, fallback)
    return ConstructedSet(name, title, data, **whole, objective=objective, **truths, about=about)


def _values(table: pa.Table, name: str, kind: pa.DataType, empty: Any) -> Tensor:
    return torch.from_numpy(table[name].cast(kind).fill_null(empty).to_numpy().copy())


def _names(about: dict[str, Any], fallback: str) -> tuple[str, str]:
    """The name and the title of the set that ``about`` describes; a name we do not know is none."""
    construction = about.get("construction")
    if not isinstance(construction, dict) or construction.get("name") not in CONSTRUCTIONS:
        return "", fallback
    return str(construction["name"]), str(construction.get("title", fallback))


def _foreign(data: LabelledImages, name: str, title: str, about: dict[str, Any]) -> ConstructedSet:
    if not name:
        name, title = _names(about, title)
    else:
        title = CONSTRUCTIONS[name].title
    return ConstructedSet(name, title, data, about=about)


def _stamped(table: pa.Table) -> dict[str, Any]:
    """The plan in the metadata of one of our exported files; a lone shard names its plan only."""
    try:
        stamp = json.loads((table.schema.metadata or {}).get(STAMP, b"{}"))
    except ValueError:
        return {}
    return stamp if isinstance(stamp, dict) and "construction" in stamp else {}


def _unfinished(folder: Path) -> str:
    there, rows = len(list(folder.glob(SHARDS))), len(_json(folder / PLAN).get("rows", ()))
    return f"{folder} is an unfinished set ({there} of {shard_count(rows)} shards); start the same build command again to finish it"


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        raise DataError(
            f"{path} can't be read; start the same build command again to mend it"
        ) from None
    if not isinstance(value, dict):
        raise DataError(f"{path} is no manifest; start the same build command again to mend it")
    return value
