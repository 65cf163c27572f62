"""Image folders: one sub-folder per class, named like the class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from explorer.datasets.labelled import DataError, LabelledImages, Pixels, View
from explorer.images.decode import ImageError, read


def read_folder(folder: Path, limit: int | None = None, view: View | None = None) -> LabelledImages:
    """The pictures of the sub-folders; class i is the i-th sub-folder by name. Files are taken round the classes, so that a
    limit keeps them balanced. ``view`` makes uint8 [H, W, 3] of each picture; without it they must be of one size.

    Raises :class:`DataError` when there are no classes, no files, or a file is no picture.
    """
    classes = sorted(
        path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
    )
    if not classes:
        raise DataError(
            f"{folder} has no sub-folders; it needs one per class, named like the class"
        )
    queues = [
        sorted(path for path in each.iterdir() if path.is_file() and not path.name.startswith("."))
        for each in classes
    ]
    turns = range(max(map(len, queues)))
    files = [
        (queue[turn], index)
        for turn in turns
        for index, queue in enumerate(queues)
        if turn < len(queue)
    ][:limit]
    if not files:
        raise DataError(f"the sub-folders of {folder} hold no files")
    arrays: list[Pixels] = []
    for path, _ in files:
        try:
            image = read(path).image
        except ImageError as error:
            raise DataError(str(error)) from None
        arrays.append(np.asarray(image) if view is None else view(image))
        if arrays[-1].shape != arrays[0].shape:
            raise DataError(
                f"the pictures in {folder} differ in size ({path} from {files[0][0]}); they must all be the same"
            )
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    return LabelledImages(
        images, torch.tensor([index for _, index in files]), tuple(path.name for path in classes)
    )
