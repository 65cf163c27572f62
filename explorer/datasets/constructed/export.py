"""A constructed set in other people's layouts: the authors' release, an image folder, one Parquet file."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from explorer.datasets.constructed.mit_release import ABOUT, IMAGES, LABELS
from explorer.datasets.constructed.read import ConstructedSet
from explorer.datasets.constructed.shards import Row, png, write_shard
from explorer.datasets.labelled import DataError
from explorer.files import disk_error

_PART = 1000  # images in one tensor of the release's lists


def export_release(found: ConstructedSet, out: Path) -> None:
    """``CIFAR_ims`` (float32 [N, 3, H, W] in [0, 1]) and ``CIFAR_lab`` (int64 [N]), lists of tensors as in the authors' release,
    and ``about.json`` with the classes and the plan."""
    images, labels = found.data.images, found.data.labels
    with _new_folder(out) as folder:
        _save([part.float() / 255 for part in images.split(_PART)], folder / IMAGES)
        _save(
            [part.clone() for part in labels.split(_PART)], folder / LABELS
        )  # a view would be saved with all it views
        (folder / ABOUT).write_text(json.dumps(described(found), indent=1, ensure_ascii=False))


def export_folder(found: ConstructedSet, out: Path) -> None:
    """PNG files, lossless, in a sub-folder per class named like the class."""
    names = found.data.names or tuple(
        str(label) for label in range(int(found.data.labels.max()) + 1)
    )
    _check_folder_names(names)
    with _new_folder(out) as folder:
        for name in names:
            (folder / name).mkdir()
        digits = len(str(len(found) - 1))
        for index, (image, label) in enumerate(
            zip(found.data.images, found.data.labels.tolist(), strict=True)
        ):
            (folder / names[label] / f"{index:0{digits}d}.png").write_bytes(png(image))


def export_parquet(found: ConstructedSet, out: Path) -> None:
    """One Parquet file with the columns of our shards and the plan in its metadata. Raises :class:`DataError` for a foreign set,
    which has no such columns."""
    if out.exists():
        raise DataError(f"{out} is there already; choose another name with --out")
    write_shard(out, list(_rows(found)), found.data.names, described(found))


FORMS: dict[str, Callable[[ConstructedSet, Path], None]] = {
    "mit": export_release,
    "folder": export_folder,
    "parquet": export_parquet,
}


def described(found: ConstructedSet) -> dict[str, Any]:
    """What the set says of itself, less the list of its rows, which ``source_index`` holds."""
    return {
        "classes": list(found.data.names),
        **{name: value for name, value in found.about.items() if name != "rows"},
    }


def _rows(found: ConstructedSet) -> Iterator[Row]:
    numbers = (
        found.source_index,
        found.source_label,
        found.start_index,
        found.start_label,
        found.target,
        found.predicted,
    )
    if any(values is None for values in (*numbers, found.objective, found.reached)):
        raise DataError(
            f"{found.title} was not built here and lacks the columns of a built set; export it to mit or folder"
        )
    columns = [
        values.tolist()
        for values in (*numbers, found.objective, found.reached)
        if values is not None
    ]
    given = zip(found.data.images, found.data.labels.tolist(), *columns, strict=True)
    for (
        image,
        label,
        source,
        source_label,
        start,
        start_label,
        target,
        predicted,
        objective,
        reached,
    ) in given:
        yield Row(
            image,
            label,
            source,
            source_label,
            _known(start),
            _known(start_label),
            _known(target),
            objective,
            reached,
            predicted,
        )


def _known(value: int) -> int | None:
    return None if value < 0 else value


def _save(parts: list[Tensor], path: Path) -> None:
    try:
        with path.open("wb") as file:
            torch.save(parts, file)
    except RuntimeError as error:  # torch trips over its own file after a write has failed
        raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def _check_folder_names(names: tuple[str, ...]) -> None:
    """Every class needs a folder of its own, also where letter case is not told apart."""
    twice = [
        name for name, count in Counter(name.casefold() for name in names).items() if count > 1
    ]
    bad = [
        name
        for name in names
        if not name or name.startswith(".") or set(name) & set('/\\:*?"<>|\0')
    ]
    if twice or bad:
        reason = (
            f"two classes are called {twice[0]!r}"
            if twice
            else f"no folder can be called {bad[0]!r}"
        )
        raise DataError(
            f"this set does not fit into an image folder: {reason}; export it to mit or parquet"
        )


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill that becomes ``out`` when all is written, and vanishes otherwise. Raises :class:`DataError`."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataError(f"{out} is there already and not empty; choose another folder with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=f".{out.name}-", dir=out.parent, ignore_cleanup_errors=True
        ) as temporary:
            filled = Path(temporary, "set")
            filled.mkdir()
            yield filled
            if out.exists():
                out.rmdir()
            os.replace(filled, out)
    except OSError as error:
        raise disk_error(out, error, "Nothing of it is kept") from None
