"""Image folders: one sub-folder per class, named like the class."""

from __future__ import annotations

from pathlib import Path

import torch

from explorer.datasets.labelled import DataError, LabelledImages, Preprocess, stack_images
from explorer.images.read import read_image


def read_folder(
    folder: Path, limit: int | None = None, preprocess: Preprocess | None = None
) -> LabelledImages:
    """The pictures of the sub-folders; class i is the i-th sub-folder by name.

    The first file of each class comes first, then the second of each, and so on, so that a
    ``limit`` keeps the classes balanced. Without ``preprocess`` the pictures must be of one size.

    Raises :class:`DataError` if there are no classes or no files, or if a file is not a picture.
    """
    classes = [path for path in _visible(folder) if path.is_dir()]
    if not classes:
        needed = "it needs one per class, named like the class"
        raise DataError(f"{folder} has no sub-folders; {needed}")
    queues = [[path for path in _visible(each) if path.is_file()] for each in classes]
    files = [
        (queue[turn], index)
        for turn in range(max(map(len, queues)))
        for index, queue in enumerate(queues)
        if turn < len(queue)
    ][:limit]
    if not files:
        raise DataError(f"the sub-folders of {folder} hold no files")
    pictures = ((str(path), read_image(path).image) for path, _ in files)
    images = stack_images(pictures, len(files), str(folder), preprocess)
    labels = torch.tensor([index for _, index in files])
    return LabelledImages(images, labels, tuple(path.name for path in classes))


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
