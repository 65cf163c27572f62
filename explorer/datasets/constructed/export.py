"""Constructed sets written as the authors' release, as an image folder, or as one Parquet file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.datasets.constructed.mit_release import ABOUT, IMAGES, LABELS
from explorer.datasets.constructed.read import ConstructedSet
from explorer.datasets.constructed.shards import Row, png_bytes, write_shard
from explorer.datasets.labelled import DataError
from explorer.files import disk_error, new_folder

_CHUNK = 1000  # images in one tensor of the release's lists


def export_release(dataset: ConstructedSet, out: Path) -> None:
    """Write lists of tensors as in the authors' release, and ``about.json``.

    ``CIFAR_ims`` has float32 [N, 3, H, W] in [0, 1], ``CIFAR_lab`` int64 [N], ``about.json`` the
    classes and the plan. Raises as :func:`_new_folder` does.
    """
    images, labels = dataset.data.images, dataset.data.labels
    about = json.dumps(describe(dataset), indent=1, ensure_ascii=False)
    with _new_folder(out) as folder:
        _save([chunk.float() / 255 for chunk in images.split(_CHUNK)], folder / IMAGES)
        # A view would be saved together with all of the tensor that it is a view of.
        _save([chunk.clone() for chunk in labels.split(_CHUNK)], folder / LABELS)
        (folder / ABOUT).write_text(about)


def export_folder(dataset: ConstructedSet, out: Path) -> None:
    """Write PNG files in a sub-folder per class. Raises as :func:`_new_folder` does.

    A :class:`DataError` says so if the classes' names can't be folder names.
    """
    labels = dataset.data.labels.tolist()
    names = dataset.data.names or tuple(str(label) for label in range(max(labels) + 1))
    _check_folder_names(names)
    digits = len(str(len(dataset) - 1))
    with _new_folder(out) as folder:
        for name in names:
            (folder / name).mkdir()
        for index, (image, label) in enumerate(zip(dataset.data.images, labels, strict=True)):
            path = folder / names[label] / f"{index:0{digits}d}.png"
            path.write_bytes(png_bytes(image))


def export_parquet(dataset: ConstructedSet, out: Path) -> None:
    """Write one Parquet file with the columns of a built set and the plan in its metadata.

    Raises :class:`DataError` if ``out`` exists or the set lacks the columns, and
    :class:`~explorer.files.FileError` if the file can't be written.
    """
    if out.exists():
        raise DataError(f"{out} is there already; choose another name with --out")
    write_shard(out, list(_rows(dataset)), dataset.data.names, describe(dataset))


FORMATS: dict[str, Callable[[ConstructedSet, Path], None]] = {
    "mit": export_release,
    "folder": export_folder,
    "parquet": export_parquet,
}


def describe(dataset: ConstructedSet) -> dict[str, Any]:
    """The classes and the plan, without the list of rows that the column ``source_index`` has."""
    about = {name: value for name, value in dataset.about.items() if name != "rows"}
    return {"classes": list(dataset.data.names), **about}


def _rows(dataset: ConstructedSet) -> Iterator[Row]:
    columns = (
        dataset.source_index,
        dataset.source_label,
        dataset.start_index,
        dataset.start_label,
        dataset.target,
        dataset.objective,
        dataset.reached,
        dataset.predicted,
    )
    values = [column.tolist() for column in columns if column is not None]
    if len(values) < len(columns):
        fault = f"{dataset.title} was not built here and lacks the columns of a built set"
        raise DataError(f"{fault}; export it to mit or folder")
    labels = dataset.data.labels.tolist()
    for image, label, *columns_of_row in zip(dataset.data.images, labels, *values, strict=True):
        source, source_label, start, start_label, target, *outcome = columns_of_row
        origin = source, source_label, _optional(start), _optional(start_label)
        yield Row(image, label, *origin, _optional(target), *outcome)


def _optional(value: int) -> int | None:
    return None if value < 0 else value


def _save(tensors: list[Tensor], path: Path) -> None:
    try:
        with path.open("wb") as file:
            torch.save(tensors, file)
    except RuntimeError as error:  # after a failed write torch fails to close its own file
        raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _check_folder_names(names: tuple[str, ...]) -> None:
    """Raise :class:`DataError` unless each class can have its folder, on any file system."""
    counts = Counter(name.casefold() for name in names)  # some don't distinguish letter case
    bad = [
        name
        for name in names
        if not name or name[0] == "." or name[-1] in ". " or set(name) & set('/\\:*?"<>|\0')
    ]
    if repeated := [name for name, count in counts.items() if count > 1]:
        reason = f"two classes are called {repeated[0]!r}"
    elif bad:
        reason = f"no folder can be called {bad[0]!r}"
    else:
        return
    fault = f"this set does not fit into an image folder: {reason}"
    raise DataError(f"{fault}; export it to mit or parquet")


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``out``, and vanishes if anything fails.

    Raises :class:`DataError` if ``out`` is occupied, :class:`~explorer.files.FileError` if it can't
    be written.
    """
    try:
        with new_folder(out) as folder:
            yield folder
    except FileExistsError:
        fault = f"{out} is there already and not empty"
        raise DataError(f"{fault}; choose another folder with --out") from None
    except OSError as error:
        raise disk_error(out, error, "Nothing of it is kept") from None
