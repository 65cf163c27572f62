"""Pictures ↔ tensors: the classifier's view of a picture, and the way back through 8 bits.

Tensors are float32 [3, H, W] in pixels of [0, 1]; a picture's value k of 8 bits is k / 255.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from explorer.errors import UserError

_LONGEST = 8


@dataclass(frozen=True)
class Crop:
    """Which part of a photograph a classifier sees. ``x`` and ``y`` run from 0 (all to the left, to the top) to 1; ``zoom`` is how
    much larger than in the classifier's own transform things are. The defaults are that transform: its centre crop."""

    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise UserError(
                f"the crop's place must lie from 0 to 1 in both directions; it is {self.x:g}, {self.y:g}"
            )
        if not 0 < self.zoom <= MOST_ZOOM:
            raise UserError(
                f"the crop's zoom must be above 0 and at most {MOST_ZOOM:g}; it is {self.zoom:g}"
            )


MOST_ZOOM = 8.0
CENTRE = Crop()
BILINEAR, BICUBIC = "bilinear", "bicubic"
_RESAMPLING = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}


class Preprocessing(Protocol):
    """What looks at pictures: its input's (height, width), what the shorter side is brought to before the crop, and how."""

    @property
    def input_size(self) -> tuple[int, int]: ...

    @property
    def resize(self) -> int | None: ...

    @property
    def interpolation(self) -> str: ...


def view(image: Image.Image, viewer: Preprocessing, crop: Crop = CENTRE) -> Tensor:
    """What ``viewer`` sees of a picture: :func:`resize_and_crop` as it asks for it."""
    return resize_and_crop(image, viewer.input_size, viewer.resize, crop, viewer.interpolation)


@dataclass(frozen=True)
class CropWindow:
    """A crop in whole pixels: the photograph without its ends (``cut``: left, top, width, height) is resized to ``resized`` (width,
    height), and from there ``size`` (width, height) is cut out at ``corner`` (left, top)."""

    cut: tuple[int, int, int, int]
    resized: tuple[int, int]
    corner: tuple[int, int]
    size: tuple[int, int]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of what is seen, in pixels of the photograph."""
        across, down = self.cut[2] / self.resized[0], self.cut[3] / self.resized[1]
        return (
            self.cut[0] + self.corner[0] * across,
            self.cut[1] + self.corner[1] * down,
            self.size[0] * across,
            self.size[1] * down,
        )

    @property
    def movable(self) -> tuple[bool, bool]:
        """Whether there is room to move it across and down."""
        return self.resized[0] > self.size[0], self.resized[1] > self.size[1]


def least_zoom(size: tuple[int, int], resize: int | None) -> float:
    """The zoom at which the crop takes in the photograph's whole shorter side."""
    return max(size) / (resize or max(size))


def crop_window(
    photo: tuple[int, int], size: tuple[int, int], resize: int | None = None, crop: Crop = CENTRE
) -> CropWindow:
    """What a classifier with input ``size`` (height, width) sees of a photograph of ``photo`` (width, height) pixels.

    Raises ``ValueError`` when ``resize`` is less than a side of ``size``; a zoom below :func:`least_zoom` counts as that.
    """
    height, width = size
    shorter = max(size) if resize is None else resize
    if shorter < max(size):
        raise ValueError(f"resize {shorter} is less than the crop {height} × {width}")
    cut = _without_ends(photo)
    resized = _resized(cut[2:], max(round(shorter * crop.zoom), max(size)))
    corner = round(crop.x * (resized[0] - width)), round(crop.y * (resized[1] - height))
    return CropWindow(cut, resized, corner, (width, height))


def resize_and_crop(
    image: Image.Image,
    size: tuple[int, int],
    resize: int | None = None,
    crop: Crop = CENTRE,
    interpolation: str = BILINEAR,
) -> Tensor:
    """Part of an RGB picture as float32 [3, H, W], values k / 255; ``size`` is (height, width).

    The shorter side is brought to ``resize`` pixels (default: the longer side of ``size``) by antialiased bilinear or bicubic
    interpolation, then the centre is cut out, or what ``crop`` says: torchvision's ``Resize``, ``CenterCrop``, ``PILToTensor``,
    byte for byte. Raises ``ValueError`` when ``resize`` is less than a side of ``size``.
    """
    seen = crop_window(image.size, size, resize, crop)
    left, top, width, height = seen.cut
    image = image.convert("RGB")
    if (width, height) != image.size:
        image = image.crop((left, top, left + width, top + height))
    if seen.resized != image.size:
        image = image.resize(seen.resized, _RESAMPLING[interpolation])
    left, top = seen.corner
    pixels = np.array(image.crop((left, top, left + seen.size[0], top + seen.size[1])))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255


def _without_ends(photo: tuple[int, int]) -> tuple[int, int, int, int]:
    """The middle of a strip, as left, top, width, height: resized as a whole, one of 8 × 1 000 000 pixels would take gigabytes."""
    width, height = photo
    longest = _LONGEST * min(width, height)
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return left, top, min(width, longest), min(height, longest)


def _resized(photo: tuple[int, int], shorter: int) -> tuple[int, int]:
    width, height = photo
    longer = int(
        shorter * max(width, height) / min(width, height)
    )  # truncated, as torchvision does
    return (shorter, longer) if width <= height else (longer, shorter)


def round_8bit(tensor: Tensor) -> Tensor:
    """Each value, of any shape, to the nearest k / 255 within [0, 1]: what is left after saving in 8 bits."""
    # Divided by a tensor: CUDA turns division by a Python number into multiplication by its rounded reciprocal.
    return (tensor.clamp(0, 1) * 255).round() / torch.full_like(tensor, 255)


def to_uint8(tensor: Tensor) -> npt.NDArray[np.uint8]:
    """[3, H, W] in [0, 1] → uint8 [H, W, 3], rounded (truncation would lose up to a whole level), clamped."""
    levels = (tensor.detach().clamp(0, 1) * 255).round().to(torch.uint8)
    array: npt.NDArray[Any] = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return array


def to_png(tensor: Tensor) -> bytes:
    """[3, H, W] in [0, 1] → the bytes of an 8-bit PNG, lossless once rounded."""
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(tensor)).save(buffer, "PNG")
    return buffer.getvalue()
