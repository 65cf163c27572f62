"""A perturbation of a classifier's input, carried back into the photograph that it was cut from.

A classifier's input is linear in the photograph X, up to rounding: R_y X R_xᵀ, with a matrix of
antialiased bilinear or bicubic interpolation weights for each direction. Of all changes Δ of the
photograph for which R_y (X + Δ) R_xᵀ is the adversarial input, the one of least L2 norm is
Δ = R_y⁺ δ (R_x⁺)ᵀ with the pseudo-inverses. It exists if the photograph is larger than the input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from explorer.images.geometry import BILINEAR, CropWindow

Matrix = npt.NDArray[np.float64]
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R 601-2: the brightness of red, green and blue
CORRECTIONS = 4  # repetitions that make up for values clipped at black and white


@dataclass(frozen=True)
class FullResolution:
    """The changed photograph and the change.

    ``photo`` is 8-bit RGB. ``change`` is float32 [height, width, 3] in pixels of [0, 1], of the
    part of the photograph that begins at ``corner`` (left, top); outside it nothing changes.
    """

    photo: Image.Image
    change: npt.NDArray[np.float32]
    corner: tuple[int, int]

    @property
    def linf(self) -> float:
        """The largest change of a value of the photograph, in pixels of [0, 1]."""
        return float(np.abs(self.change).max())

    @property
    def l2(self) -> float:
        """The Euclidean norm of the change over all values of the photograph."""
        return float(np.linalg.norm(self.change.astype(np.float64)))


def resize_matrix(length: int, resized: int, interpolation: str = BILINEAR) -> Matrix:
    """Pillow's antialiased interpolation of one line, float64 [resized, length].

    Every row sums to 1.
    """
    scale = length / resized
    support = max(scale, 1.0)
    centres = (np.arange(resized)[:, None] + 0.5) * scale
    distance = np.abs(np.arange(length)[None, :] + 0.5 - centres) / support
    weights = _triangle(distance) if interpolation == BILINEAR else _cubic(distance)
    matrix: Matrix = weights / weights.sum(axis=1, keepdims=True)
    return matrix


def at_full_resolution(
    photo: Image.Image,
    window: CropWindow,
    adversarial: npt.NDArray[np.float32],
    interpolation: str = BILINEAR,
) -> FullResolution:
    """The photograph with the least change in L2 that makes ``window`` of it ``adversarial``.

    ``adversarial`` is float32 [h, w, 3] in [0, 1], or [h, w, 1] where the classifier takes grey
    images: then the three colours change alike, and with them the brightness. The surrounding
    pixels make up for values that are clipped at black and white, as far as they can; the result is
    rounded to 8 bits at the end.
    """
    across, columns = _window_rows(window, 0, interpolation)
    down, rows = _window_rows(window, 1, interpolation)
    original = np.asarray(photo.convert("RGB"))
    part = original[rows, columns].astype(np.float32) / 255
    to_rows, to_columns = np.linalg.pinv(down), np.linalg.pinv(across)
    levels = np.empty(part.shape, np.uint8)
    grey = adversarial.shape[2] == 1
    for colours in ([0, 1, 2],) if grey else ([0], [1], [2]):
        values = part[..., colours].astype(np.float64)
        weights = _LUMA if grey else np.ones(1)
        for _ in range(CORRECTIONS):
            missing = adversarial[..., colours[0]] - down @ (values @ weights) @ across.T
            values = np.clip(values + (to_rows @ missing @ to_columns.T)[..., None], 0, 1)
        levels[..., colours] = np.rint(values.astype(np.float32) * 255)
    pixels = original.copy()
    pixels[rows, columns] = levels
    change = (levels / np.float32(255) - part).astype(np.float32)
    return FullResolution(Image.fromarray(pixels), change, (columns.start, rows.start))


def _window_rows(window: CropWindow, axis: int, interpolation: str) -> tuple[Matrix, slice]:
    """The interpolation of ``window`` along ``axis`` (0 is x), and the pixels that it uses."""
    first, size = window.corner[axis], window.size[axis]
    matrix = resize_matrix(window.region[2 + axis], window.resized_size[axis], interpolation)
    matrix = matrix[first : first + size]
    used = np.flatnonzero(matrix.any(axis=0))
    start, stop = int(used[0]), int(used[-1]) + 1
    offset = window.region[axis]
    return matrix[:, start:stop], slice(offset + start, offset + stop)


def _triangle(distance: Matrix) -> Matrix:
    return np.clip(1 - distance, 0, None)


def _cubic(distance: Matrix) -> Matrix:
    """Keys' kernel with a = −1/2."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))
