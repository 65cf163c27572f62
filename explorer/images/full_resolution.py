"""A perturbation of what the classifier sees, carried back into the photograph it was cut from.

The classifier's view of a photograph X is linear up to rounding: R_y X R_xᵀ, with a matrix of interpolation weights for each
direction (bilinear or bicubic, antialiased). Of all changes Δ of the photograph that make R_y (X + Δ) R_xᵀ the adversarial view, the
shortest is Δ = R_y⁺ δ (R_x⁺)ᵀ with the pseudo-inverses: where the photograph is larger than the view, there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from explorer.images.geometry import BILINEAR, CropWindow

Matrix = npt.NDArray[np.float64]
CORRECTIONS = 4  # rounds that make up for what was cut off at black and white


@dataclass(frozen=True)
class FullResolution:
    """``photo`` is the whole photograph with the change, 8-bit RGB; ``change`` float32 [height, width, 3] what changed in the
    part that was touched, in pixels of [0, 1], and ``corner`` (left, top) where that part begins."""

    photo: Image.Image
    change: npt.NDArray[np.float32]
    corner: tuple[int, int]

    @property
    def linf(self) -> float:
        """Largest change of any value of the photograph, in pixels of [0, 1]."""
        return float(np.abs(self.change).max())

    @property
    def l2(self) -> float:
        """Euclidean length of the change over all values of the photograph."""
        return float(np.linalg.norm(self.change.astype(np.float64)))


def _triangle(distance: Matrix) -> Matrix:
    return np.clip(1 - distance, 0, None)


def _cubic(distance: Matrix) -> Matrix:
    """Keys' kernel with a = −1/2."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def resize_matrix(length: int, resized: int, interpolation: str = BILINEAR) -> Matrix:
    """The antialiased interpolation of one line, float64 [resized, length]; every row sums to 1. It is Pillow's."""
    scale = length / resized
    reach = max(scale, 1.0)
    centres = (np.arange(resized)[:, None] + 0.5) * scale
    distance = np.abs(np.arange(length)[None, :] + 0.5 - centres) / reach
    weights = _triangle(distance) if interpolation == BILINEAR else _cubic(distance)
    matrix: Matrix = weights / weights.sum(axis=1, keepdims=True)
    return matrix


def at_full_resolution(
    photo: Image.Image,
    seen: CropWindow,
    adversarial: npt.NDArray[np.float32],
    interpolation: str = BILINEAR,
) -> FullResolution:
    """Change the photograph, as little as possible in L2, so that what is seen of it becomes ``adversarial`` (float32 [h, w, 3] in
    [0, 1]); rounded to 8 bits at the end. What black and white cut off is made up for by the pixels around, where they can."""
    across, columns = _touched(
        seen.cut[2], seen.resized[0], seen.corner[0], seen.size[0], interpolation
    )
    down, rows = _touched(seen.cut[3], seen.resized[1], seen.corner[1], seen.size[1], interpolation)
    left, top = seen.cut[0] + columns.start, seen.cut[1] + rows.start
    original = np.asarray(photo.convert("RGB"))
    part = (
        original[top : seen.cut[1] + rows.stop, left : seen.cut[0] + columns.stop].astype(
            np.float32
        )
        / 255
    )
    changed = np.empty_like(part)
    to_rows, to_columns = np.linalg.pinv(down), np.linalg.pinv(across)
    for channel in range(3):
        values = part[..., channel].astype(np.float64)
        for _ in range(CORRECTIONS):
            missing = adversarial[..., channel] - down @ values @ across.T
            values = np.clip(values + to_rows @ missing @ to_columns.T, 0, 1)
        changed[..., channel] = values
    levels = np.rint(changed * 255).astype(np.uint8)
    whole = original.copy()
    whole[top : top + part.shape[0], left : left + part.shape[1]] = levels
    change = (levels / np.float32(255) - part).astype(np.float32)
    return FullResolution(Image.fromarray(whole), change, (left, top))


def _touched(
    length: int, resized: int, first: int, size: int, interpolation: str
) -> tuple[Matrix, slice]:
    """The rows of the interpolation that are seen, and the pixels of the photograph they look at."""
    matrix = resize_matrix(length, resized, interpolation)[first : first + size]
    used = np.flatnonzero(matrix.any(axis=0))
    pixels = slice(int(used[0]), int(used[-1]) + 1)
    return matrix[:, pixels], pixels
