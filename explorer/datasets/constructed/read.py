"""Constructed sets read from files: built folders, the authors' release, any labelled images."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from torch import Tensor

from explorer.datasets.columns import FOUND, ColumnNames
from explorer.datasets.constructed.constructions import CONSTRUCTIONS, Construction
from explorer.datasets.constructed.manifest import MANIFEST, PLAN, read_built, unfinished
from explorer.datasets.constructed.mit_release import (
    FOLDERS,
    is_release,
    read_release,
    release_sets,
)
from explorer.datasets.constructed.shards import STAMP
from explorer.datasets.image_folder import read_folder
from explorer.datasets.labelled import (
    DataError,
    LabelledImages,
    Preprocess,
    reading,
)
from explorer.datasets.parquet import labelled_images, read_shards, read_table
from explorer.datasets.shards import files_of_pattern, shards_in

_INTEGERS = ("source_index", "source_label", "start_index", "start_label", "target", "predicted")
_BOOLEANS = ("reached", "survives_8bit")
_COLUMNS = (*_INTEGERS, "objective", *_BOOLEANS)


@dataclass(frozen=True)
class ConstructedSet:
    """Images with the labels that the set gives them and, if the file has it, their origin.

    ``name``: "d_r", "d_nr", "d_rand", "d_det", or "" if it is unknown.
    ``source_index`` … ``predicted``: int64 [N], −1 for none; ``objective``: float32 [N];
    ``reached``, ``survives_8bit``: bool [N]. :class:`~explorer.datasets.constructed.shards.Row`
    explains them. All are None for a set that was not built by the explorer.
    ``about``: the plan that the set was built by, empty if it is unknown.
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

    @property
    def construction(self) -> Construction | None:
        """The construction of this name with the paper's parameters; None if it is unknown."""
        return CONSTRUCTIONS.get(self.name)

    def perceived_label(self, index: int) -> int | None:
        """The class a person sees in the image at ``index``; None if the set doesn't say."""
        if self.construction is None:
            return None
        if self.construction.matches_features:  # these keep the label of their source
            source_label: int | None = int(self.data.labels[index])
        else:
            source_label = _value(self.source_label, index)
        return self.construction.perceived_label(source_label, _value(self.start_label, index))


def _value(column: Tensor | None, index: int) -> int | None:
    return None if column is None or column[index] < 0 else int(column[index])


def read_set(
    path: str | Path,
    limit: int | None = None,
    preprocess: Preprocess | None = None,
    named: ColumnNames = FOUND,
) -> ConstructedSet:
    """The set at ``path``, or its first ``limit`` images.

    ``path`` is a folder that ``build`` finished, a Parquet file, a folder of shards or a pattern
    such as ``train-*.parquet``, a set of the authors' release, or a folder with a sub-folder per
    class. ``preprocess`` is applied to the pictures of files and folders that the explorer didn't
    build; without it they must be of one size. ``named`` are the columns that a person named.

    Raises :class:`DataError` if there is no set, or if it is unfinished, damaged or unreadable.
    """
    with reading(path):
        return _read_set(Path(path), limit, preprocess, named)


def _read_set(
    path: Path, limit: int | None, preprocess: Preprocess | None, named: ColumnNames
) -> ConstructedSet:
    if path.is_file():
        table = read_table(path, limit, columns=_COLUMNS, named=named)
        about = _plan_in_metadata(table)
        return _set_of_table(table, str(path), path.stem, about, preprocess, named)
    if not path.is_dir():
        if files := files_of_pattern(str(path)):
            table = read_shards(files, limit, named=named)
            return _set_of_table(table, str(path), path.stem, {}, preprocess, named)
        raise DataError(f"there is no file or folder {path}; check the path")
    if (path / MANIFEST).is_file():
        table, about = read_built(path, limit, _COLUMNS)
        return _set_of_table(table, str(path), path.name, about)
    if (path / PLAN).is_file():
        raise unfinished(path)
    if is_release(path):
        data, about = read_release(path, limit)
        return _set_without_origin(data, path.name, about, FOLDERS.get(path.name))
    if sets := release_sets(path):
        names = ", ".join(each.name for each in sets)
        raise DataError(f"{path} holds {len(sets)} sets, {names}; name one, such as {sets[0]}")
    if files := shards_in(path):
        table = read_shards(files, limit, named=named)
        return _set_of_table(table, str(path), path.name, {}, preprocess, named)
    return _set_without_origin(read_folder(path, limit, preprocess), path.name, {})


def _set_of_table(
    table: pa.Table,
    where: str,
    fallback_title: str,
    about: dict[str, Any],
    preprocess: Preprocess | None = None,
    named: ColumnNames = FOUND,
) -> ConstructedSet:
    # The images of a set that was built here have been preprocessed for its classifier already.
    built_here = STAMP in (table.schema.metadata or {})
    data = labelled_images(table, where, None if built_here else preprocess, named)
    if not set(_COLUMNS) <= set(table.column_names):
        return _set_without_origin(data, fallback_title, about)
    try:
        integers = {name: _tensor(table, name, pa.int64(), -1) for name in _INTEGERS}
        booleans = {name: _tensor(table, name, pa.bool_(), False) for name in _BOOLEANS}
        objective = _tensor(table, "objective", pa.float32(), float("nan"))
    except pa.ArrowException:  # columns of the same names, but of other types
        return _set_without_origin(data, fallback_title, about)
    name, title = _name_and_title(about, fallback_title)
    return ConstructedSet(
        name, title, data, **integers, objective=objective, **booleans, about=about
    )


def _tensor(table: pa.Table, name: str, kind: pa.DataType, missing: Any) -> Tensor:
    return torch.from_numpy(table[name].cast(kind).fill_null(missing).to_numpy().copy())


def _set_without_origin(
    data: LabelledImages,
    fallback_title: str,
    about: dict[str, Any],
    construction: Construction | None = None,
) -> ConstructedSet:
    if construction is not None:
        return ConstructedSet(construction.name, construction.title, data, about=about)
    return ConstructedSet(*_name_and_title(about, fallback_title), data, about=about)


def _name_and_title(about: dict[str, Any], fallback_title: str) -> tuple[str, str]:
    """The name and title that ``about`` gives, or "" and the fallback if its name is unknown."""
    construction = about.get("construction")
    if not isinstance(construction, dict):
        return "", fallback_title
    name = construction.get("name")
    if not isinstance(name, str) or name not in CONSTRUCTIONS:
        return "", fallback_title
    return name, str(construction.get("title", fallback_title))


def _plan_in_metadata(table: pa.Table) -> dict[str, Any]:
    """The plan in the metadata of an exported file; a single shard has only its plan's digest."""
    try:
        stamp = json.loads((table.schema.metadata or {}).get(STAMP, b"{}"))
    except (ValueError, RecursionError):
        return {}
    return stamp if isinstance(stamp, dict) and "construction" in stamp else {}
