"""Pictures ↔ tensors: the classifier's view of a picture, and the way back through 8 bits.

Tensors are float32 [3, H, W] in pixels of [0, 1]; a picture's value k of 8 bits is k / 255.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

_LONGEST = 8


def fit(image: Image.Image, size: tuple[int, int], resize: int | None = None) -> Tensor:
    """The middle of an RGB picture as float32 [3, H, W], values k / 255; ``size`` is (height, width).

    The shorter side is brought to ``resize`` pixels (default: the longer side of ``size``) by antialiased bilinear
    interpolation, then the centre is cut out: torchvision's ``Resize``, ``CenterCrop``, ``PILToTensor``, byte for byte.
    Raises ``ValueError`` when ``resize`` is less than a side of ``size``.
    """
    height, width = size
    shorter = max(size) if resize is None else resize
    if shorter < max(size):
        raise ValueError(f"resize {shorter} is less than the crop {height} × {width}")
    image = _resize_shorter(_without_ends(image.convert("RGB")), shorter)
    left, top = round((image.width - width) / 2), round((image.height - height) / 2)
    pixels = np.array(image.crop((left, top, left + width, top + height)))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float() / 255


def _without_ends(image: Image.Image) -> Image.Image:
    """Cut a strip to its middle: resized as a whole, one of 8 × 1 000 000 pixels would take gigabytes."""
    width, height = image.size
    longest = _LONGEST * min(width, height)
    if max(width, height) <= longest:
        return image
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return image.crop((left, top, left + min(width, longest), top + min(height, longest)))


def _resize_shorter(image: Image.Image, shorter: int) -> Image.Image:
    width, height = image.size
    longer = int(shorter * max(width, height) / min(width, height))  # truncated, as torchvision does
    target = (shorter, longer) if width <= height else (longer, shorter)
    return image if target == image.size else image.resize(target, Image.Resampling.BILINEAR)


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
