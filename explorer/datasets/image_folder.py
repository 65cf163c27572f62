"""Image folders: one sub-folder per class, named like the class."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch

from explorer.datasets.labelled import DataError, LabelledImages, Preprocess, stack_images
from explorer.images.formats import EXTENSIONS, HEAD, is_picture
from explorer.images.read import read_image

_SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test"))
_IMAGES = "images"  # the folder below a class, or below a split, in the layout of Tiny ImageNet
_ANNOTATIONS = "val_annotations.txt"  # its list of files and classes


class _Files(NamedTuple):
    """The pictures of each class, in order, and the number of other files."""

    classes: dict[str, list[Path]]
    skipped: int


def read_folder(
    folder: Path, limit: int | None = None, preprocess: Preprocess | None = None
) -> LabelledImages:
    """The pictures in and below the sub-folders; class i is the i-th sub-folder by name.

    Files that are no pictures are skipped, and a note says how many. The splits of a data set may
    lie between ``folder`` and the classes, if only one of them has classes. The first file of each
    class comes first, then the second of each, and so on, so that a ``limit`` keeps the classes
    balanced. Without ``preprocess`` the pictures must be of one size.

    Raises :class:`DataError` if there are no classes or no pictures, or if a picture can't be read.
    """
    folder = _below_splits(folder)
    files = _annotated(folder) if (folder / _ANNOTATIONS).is_file() else _in_classes(folder)
    if not files.classes:
        needed = "it needs one per class, named like the class"
        raise DataError(f"{folder} has no sub-folders; {needed}")
    queues = list(files.classes.values())
    order = [
        (queue[turn], index)
        for turn in range(max(map(len, queues)))
        for index, queue in enumerate(queues)
        if turn < len(queue)
    ][:limit]
    if not order:
        raise DataError(f"the sub-folders of {folder} hold no pictures; put some into them")
    pictures = ((str(path), read_image(path).image) for path, _ in order)
    images = stack_images(pictures, len(order), str(folder), preprocess)
    labels = torch.tensor([index for _, index in order])
    return LabelledImages(images, labels, tuple(files.classes), notes=_notes(files.skipped))


def _notes(skipped: int) -> tuple[str, ...]:
    if not skipped:
        return ()
    return (f"{skipped} other file{'s were' if skipped > 1 else ' was'} skipped",)


def _below_splits(folder: Path) -> Path:
    """``folder``, or its only split with classes if its sub-folders are splits."""
    below = _folders(folder)
    if not below or not {path.name.casefold() for path in below} <= _SPLITS:
        return folder
    splits = [path for path in below if _has_classes(path)]
    if len(splits) > 1:
        names = ", ".join(path.name for path in splits)
        raise DataError(f"{folder} holds the splits {names}; name one, such as {splits[0]}")
    return splits[0] if splits else folder  # "train" may be a class as well


def _has_classes(split: Path) -> bool:
    names = [path.name for path in _folders(split)]
    return (split / _ANNOTATIONS).is_file() or (bool(names) and names != [_IMAGES])


def _in_classes(folder: Path) -> _Files:
    classes, skipped = {}, sum(path.is_file() for path in _visible(folder))
    for path in _folders(folder):
        files = list(_walk(path))
        classes[path.name] = [file for file in files if _may_be_picture(file)]
        skipped += len(files) - len(classes[path.name])
    return _Files(classes, skipped)


def _annotated(folder: Path) -> _Files:
    """The files that the list names, by its second column; those not listed are skipped."""
    listed: list[tuple[str, Path]] = []
    text = (folder / _ANNOTATIONS).read_text("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, _, rest = line.partition("\t")
        label = rest.partition("\t")[0].strip()
        if not label or Path(name).name != name:
            raise DataError(f"{folder / _ANNOTATIONS} has no file and its class in line {number:,}")
        listed.append((label, folder / _IMAGES / name))
    classes: dict[str, list[Path]] = {label: [] for label in sorted({label for label, _ in listed})}
    for label, path in listed:
        classes[label].append(path)
    present = sum(1 for _ in _walk(folder)) - 1  # the list itself
    return _Files(classes, max(0, present - len(listed)))


def _may_be_picture(path: Path) -> bool:
    """Whether its ending or its content says so; a damaged picture is an error, not skipped."""
    if path.suffix.lower() in EXTENSIONS:
        return True
    with path.open("rb") as file:
        return is_picture(file.read(HEAD))


def _walk(folder: Path) -> Iterator[Path]:
    """Each visible file in and below ``folder``, in order; links to further folders are left."""
    for path in _visible(folder):
        if not path.is_dir():
            yield path
        elif not path.is_symlink():
            yield from _walk(path)


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
