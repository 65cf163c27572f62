"""The part of a picture that may be painted: squares of a grid over what a classifier sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from explorer.experiments.features.asked import FeatureError
from explorer.images.geometry import Preprocessing, preprocess

SIDE = 32  # squares in a row and in a column of a mask: pixels of CIFAR-10


@dataclass(frozen=True)
class Box:
    """A part of what the classifier sees, from 0 (left, top) to 1 (right, bottom)."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if not (0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1):
            raise FeatureError(
                "a box is left, top, right and bottom from 0 to 1, with left below right and top "
                f"below bottom; it is {self.left:g} {self.top:g} {self.right:g} {self.bottom:g}"
            )


def box_cells(box: Box) -> NDArray[np.bool_]:
    """The squares bool [32, 32] whose middle is in the box; at least the nearest one."""
    middles = (np.arange(SIDE) + 0.5) / SIDE
    rows = _inside(middles, box.top, box.bottom)
    columns = _inside(middles, box.left, box.right)
    return np.logical_and.outer(rows, columns)


def _inside(middles: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (middles >= low) & (middles < high)
    if not inside.any():
        inside[np.abs(middles - (low + high) / 2).argmin()] = True
    return inside


def cells_text(cells: NDArray[np.bool_]) -> str:
    """The squares as 256 hexadecimal digits, row by row, for links and messages."""
    return np.packbits(cells).tobytes().hex()


def cells_from(text: str) -> NDArray[np.bool_]:
    """The squares of :func:`cells_text`. Raises :class:`FeatureError` for another text."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        data = b""
    if len(data) != SIDE * SIDE // 8:
        raise FeatureError(f"a mask is {SIDE * SIDE // 4} hexadecimal digits; brush it again")
    bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))
    return bits.reshape(SIDE, SIDE).astype(bool)


def cells_mask(cells: NDArray[np.bool_], size: tuple[int, int]) -> Tensor:
    """The mask float32 [H, W] of 0 and 1 for a classifier's input of ``size``."""
    rows, columns = (np.arange(side) * SIDE // side for side in size)
    return torch.from_numpy(cells[rows][:, columns].astype(np.float32))


def picture_mask(mask: Image.Image, photo: Image.Image, preprocessing: Preprocessing) -> Tensor:
    """The mask float32 [H, W] of a black and white picture of the same shape as ``photo``.

    White is painted. It is resized and cropped as the classifier does with the photo. Raises
    :class:`FeatureError` for a picture of another shape.
    """
    width, height = photo.size
    if abs(mask.width * height - mask.height * width) > max(mask.width, mask.height) * 2:
        raise FeatureError(
            f"the mask has {mask.width} × {mask.height} pixels and the picture {width} × {height}; "
            "they must have the same shape"
        )
    resized = mask.convert("L").resize(photo.size, Image.Resampling.NEAREST)
    white = preprocess(resized, preprocessing).mean(dim=0)
    return (white >= 0.5).float()
