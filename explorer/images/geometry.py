"""Pictures and tensors: preprocessing for a classifier, and 8-bit pictures from tensors.

Tensors are float32 [3, H, W], or [1, H, W] for grey pictures, in pixels of [0, 1]; the 8-bit value
k of a picture is k / 255.
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

MAX_ZOOM = 8.0
BILINEAR, BICUBIC = "bilinear", "bicubic"
_RESAMPLING = {BILINEAR: Image.Resampling.BILINEAR, BICUBIC: Image.Resampling.BICUBIC}
_MAX_ASPECT_RATIO = 8  # of the part of a picture that is used


@dataclass(frozen=True)
class Crop:
    """The part of a photograph that a classifier gets; by default its own centre crop.

    ``x`` and ``y`` are the position from 0 (left, top) to 1 (right, bottom). At a ``zoom`` of 2
    things are twice as large as in the classifier's own preprocessing.
    """

    x: float = 0.5
    y: float = 0.5
    zoom: float = 1.0

    def __post_init__(self) -> None:
        if not (0 <= self.x <= 1 and 0 <= self.y <= 1):
            raise UserError(
                f"the crop's x and y must be from 0 to 1; they are {self.x:g} and {self.y:g}"
            )
        if not 0 < self.zoom <= MAX_ZOOM:
            raise UserError(
                f"the crop's zoom must be above 0 and at most {MAX_ZOOM:g}; it is {self.zoom:g}"
            )


CENTRE = Crop()


class Preprocessing(Protocol):
    """How a classifier's input is cut from a picture; a ``Classifier`` fulfils it."""

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of the crop."""

    @property
    def resize(self) -> int | None:
        """The shorter side in pixels before the crop; None for the longer side of the crop."""

    @property
    def interpolation(self) -> str:
        """``BILINEAR`` or ``BICUBIC``."""

    @property
    def channels(self) -> int:
        """3 for pictures in colour, 1 for grey ones."""


def preprocess(image: Image.Image, preprocessing: Preprocessing, crop: Crop = CENTRE) -> Tensor:
    """The classifier's input for a picture: :func:`resize_and_crop` with its settings."""
    size, resize = preprocessing.input_size, preprocessing.resize
    return resize_and_crop(
        image, size, resize, crop, preprocessing.interpolation, preprocessing.channels
    )


@dataclass(frozen=True)
class CropWindow:
    """A crop in whole pixels.

    ``region`` (left, top, width, height) of the photograph is resized to ``resized_size`` (width,
    height), and ``size`` (width, height) of the result is cut out at ``corner`` (left, top).
    """

    region: tuple[int, int, int, int]
    resized_size: tuple[int, int]
    corner: tuple[int, int]
    size: tuple[int, int]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the crop, in pixels of the photograph."""
        scale_x = self.region[2] / self.resized_size[0]
        scale_y = self.region[3] / self.resized_size[1]
        left = self.region[0] + self.corner[0] * scale_x
        top = self.region[1] + self.corner[1] * scale_y
        return left, top, self.size[0] * scale_x, self.size[1] * scale_y

    @property
    def movable(self) -> tuple[bool, bool]:
        """Whether the crop can be moved horizontally, and vertically."""
        return self.resized_size[0] > self.size[0], self.resized_size[1] > self.size[1]


def min_zoom(size: tuple[int, int], resize: int | None) -> float:
    """The zoom at which the crop contains the whole shorter side of the photograph."""
    return max(size) / (resize or max(size))


def crop_window(
    photo_size: tuple[int, int],
    size: tuple[int, int],
    resize: int | None = None,
    crop: Crop = CENTRE,
) -> CropWindow:
    """The window of ``crop`` in a photograph of ``photo_size`` (width, height) pixels.

    ``size`` (height, width) is the classifier's input, ``resize`` as in :class:`Preprocessing`. A
    zoom below :func:`min_zoom` counts as that. Raises ``ValueError`` if ``resize`` is less than a
    side of ``size``.
    """
    height, width = size
    shorter = max(size) if resize is None else resize
    if shorter < max(size):
        raise ValueError(f"resize {shorter} is less than the crop {height} × {width}")
    region = _middle(photo_size)
    resized_size = _resized_size(region[2:], max(round(shorter * crop.zoom), max(size)))
    left = round(crop.x * (resized_size[0] - width))
    top = round(crop.y * (resized_size[1] - height))
    return CropWindow(region, resized_size, (left, top), (width, height))


def resize_and_crop(
    image: Image.Image,
    size: tuple[int, int],
    resize: int | None = None,
    crop: Crop = CENTRE,
    interpolation: str = BILINEAR,
    channels: int = 3,
) -> Tensor:
    """Part of a picture as float32 [C, H, W] with values k / 255; ``size`` is (height, width).

    One channel is the brightness as ITU-R 601-2 weighs the colours, like torchvision's
    ``Grayscale``.
    The interpolation is antialiased. With the default ``crop`` the result equals that of
    torchvision's ``Resize``, ``CenterCrop`` and ``PILToTensor`` to the byte. Raises ``ValueError``
    if ``resize`` is less than a side of ``size``.
    """
    if not isinstance(image, Image.Image):
        raise UserError(
            f"the picture can't be of type {type(image).__name__}; give a PIL image, such as "
            "Image.open(path) or Image.fromarray(array)"
        )
    window = crop_window(image.size, size, resize, crop)
    image = image.convert("L" if channels == 1 else "RGB")
    left, top, width, height = window.region
    if (width, height) != image.size:
        image = image.crop((left, top, left + width, top + height))
    if window.resized_size != image.size:
        image = image.resize(window.resized_size, _RESAMPLING[interpolation])
    left, top = window.corner
    pixels = np.array(image.crop((left, top, left + window.size[0], top + window.size[1])))
    by_channel = torch.from_numpy(pixels.reshape(*size, channels)).permute(2, 0, 1)
    return by_channel.contiguous().float() / 255


def _middle(photo_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of the photograph, or of the middle of a very long strip.

    Resizing a whole picture of 8 × 1,000,000 pixels would take gigabytes.
    """
    width, height = photo_size
    longest = _MAX_ASPECT_RATIO * min(width, height)
    left, top = max(0, (width - longest) // 2), max(0, (height - longest) // 2)
    return left, top, min(width, longest), min(height, longest)


def _resized_size(photo_size: tuple[int, int], shorter: int) -> tuple[int, int]:
    width, height = photo_size
    # torchvision truncates here too.
    longer = int(shorter * max(width, height) / min(width, height))
    return (shorter, longer) if width <= height else (longer, shorter)


def round_8bit(tensor: Tensor) -> Tensor:
    """Values of any shape, each rounded to the nearest k / 255 in [0, 1] as an 8-bit file does."""
    # CUDA turns division by a Python number into multiplication by its rounded reciprocal.
    return (tensor.clamp(0, 1) * 255).round() / torch.full_like(tensor, 255)


def to_uint8(tensor: Tensor) -> npt.NDArray[np.uint8]:
    """A tensor [3, H, W] as uint8 [H, W, 3], clamped to [0, 1] and rounded, not truncated.

    A grey picture [1, H, W] gets three equal colours.
    """
    levels = (tensor.detach().clamp(0, 1) * 255).round().to(torch.uint8).expand(3, -1, -1)
    array: npt.NDArray[Any] = levels.permute(1, 2, 0).contiguous().cpu().numpy()
    return array


def to_grey(images: Tensor) -> Tensor:
    """uint8 [N, 1, H, W] of ``images`` uint8 [N, 3, H, W], to the byte as Pillow converts them."""
    red, green, blue = images.to(torch.int32).split(1, dim=1)
    # ITU-R 601-2 in parts of 65,536
    brightness: Tensor = (red * 19595 + green * 38470 + blue * 7471 + 32768) >> 16
    return brightness.to(torch.uint8)


def with_channels(images: Tensor, channels: int) -> Tensor:
    """``images`` uint8 [N, C, H, W] as a classifier takes them that has ``channels``, 3 or 1."""
    if images.shape[1] == channels:
        return images
    return to_grey(images) if channels == 1 else images.expand(-1, 3, -1, -1)


def picture_of(levels: Tensor) -> Image.Image:
    """The picture of uint8 [3, H, W], or of [1, H, W] in grey."""
    array = levels.permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(array[..., 0] if len(levels) == 1 else array)


def to_png(tensor: Tensor) -> bytes:
    """The bytes of a PNG file with the 8-bit values of a tensor [C, H, W]; see :func:`to_uint8`."""
    levels = to_uint8(tensor)
    buffer = io.BytesIO()
    Image.fromarray(levels[..., 0] if len(tensor) == 1 else levels).save(buffer, "PNG")
    return buffer.getvalue()
