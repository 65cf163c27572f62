"""Images as people pass them: a tensor for a classifier, or one sentence that says what to change.

What is clear and exact is taken, such as NumPy arrays and lists of images; what would be a guess is
refused, such as another order of the axes or values from 0 to 255.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.classifiers.error import ClassifierError
from explorer.errors import UserError, short

CHANNELS = (1, 3)


def as_pixels(
    images: Any, error: type[UserError] = ClassifierError, dtype: torch.dtype | None = None
) -> Tensor:
    """``images`` as a floating-point tensor [N, C, H, W]; a tensor comes back as it is.

    Raises ``error`` for another shape, for integers, and for another dtype than ``dtype`` if given.
    Values are not read: that would wait for the device.
    """
    tensor = images if isinstance(images, Tensor) else _joined(images, error)
    of_numpy = not isinstance(images, Tensor)
    if problem := _shape_problem(list(tensor.shape), of_numpy):
        raise error(problem)
    if not tensor.is_floating_point() or dtype not in (None, tensor.dtype):
        raise error(_dtype_problem(tensor.dtype, of_numpy))
    return tensor


def _joined(images: Any, error: type[UserError]) -> Tensor:
    """A copy of an array, or of a list of images of one size."""
    try:
        if isinstance(images, np.ndarray):
            return torch.from_numpy(np.array(images, order="C"))
        if isinstance(images, list | tuple):
            if images and all(isinstance(image, Tensor) for image in images):
                return torch.stack(tuple(images))
            if any(isinstance(image, np.ndarray) for image in images):
                return torch.from_numpy(np.stack(images))
            return torch.tensor(images)
    except (TypeError, ValueError, RuntimeError) as problem:
        reason = short(str(problem).partition("\n")[0])
        raise error(
            f"images can't be joined into one tensor [N, 3, H, W] ({reason}); give tensors or "
            "arrays of one size"
        ) from None
    raise error(f"images can't be of type {type(images).__name__}; give a tensor [N, 3, H, W]")


def _shape_problem(shape: list[int], of_numpy: bool) -> str | None:
    method = "transpose" if of_numpy else "permute"
    if len(shape) == 4 and shape[1] in CHANNELS:
        return None
    if len(shape) == 4 and shape[3] in CHANNELS:
        return (
            f"images must be [N, 3, H, W]; they are {shape}, with the colours last: use "
            f"images.{method}(0, 3, 1, 2)"
        )
    if len(shape) == 3 and shape[0] in CHANNELS:
        return f"images must be [N, 3, H, W]; one image is {shape}: use image[None]"
    if len(shape) == 3 and shape[2] in CHANNELS:
        return (
            f"images must be [N, 3, H, W]; one image is {shape}, with the colours last: use "
            f"image.{method}(2, 0, 1)[None]"
        )
    return f"images must be [N, 3, H, W]; they are {shape}"


def _dtype_problem(dtype: torch.dtype, of_numpy: bool) -> str:
    name = str(dtype).removeprefix("torch.")
    as_float = 'images.astype("float32")' if of_numpy else "images.float()"
    if dtype == torch.uint8:
        return f"images must lie in [0, 1]; they are uint8: divide them by 255, {as_float} / 255"
    return f"images must be float32; they are {name}: use {as_float}"
