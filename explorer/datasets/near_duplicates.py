"""Images that are the same except for compression, to keep held-out images out of training."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.datasets.labelled import DataError, LabelledImages


def near_duplicates(images: Tensor, others: Tensor) -> Tensor:
    """For each of ``others`` the index of the most similar of ``images``: int64 [len(others)].

    Both are uint8 [N, 3, H, W]. The similarity is the correlation of the pixel values, which
    compression hardly changes.
    """
    flat = images.flatten(1).float()
    flat -= flat.mean(dim=1, keepdim=True)
    flat /= flat.norm(dim=1, keepdim=True).clamp_min(1e-6)
    nearest = []
    for chunk in others.flatten(1).float().split(256):
        chunk = chunk - chunk.mean(dim=1, keepdim=True)
        nearest.append((chunk @ flat.T).argmax(dim=1))
    return torch.cat(nearest)


def exclude_near_duplicates(data: LabelledImages, held_out: Tensor) -> LabelledImages:
    """``data`` without the image most similar to each of ``held_out`` (uint8 [N, 3, H, W]).

    Raises :class:`DataError` if no image is left.
    """
    keep = torch.ones(len(data), dtype=torch.bool)
    keep[near_duplicates(data.images, held_out)] = False
    if not bool(keep.any()):
        raise DataError(
            f"no image is left: all {len(data)} are among those to leave out; choose other data"
        )
    return data.take(keep)
