"""Colours by the profile that a file brings (ICC), as sRGB: what screens and classifiers expect."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from explorer.errors import short

BAND = 256  # rows that are converted at a time: a large picture is not in memory many times
_MAX_PROFILE = 4 * 2**20  # bytes; those of printers have one or two
_MODES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # of the pixels that a profile is for
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_ROUNDING = 1  # by which two ways to compute sRGB may differ
_IGNORED = "its colour profile can't be used and was ignored"


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str | None]:
    """The picture in sRGB, with a note if colours were converted or ``profile`` is unusable.

    Alpha stays as it is. A picture whose profile is sRGB itself keeps every pixel.
    """
    if not profile:
        return image, None
    try:
        transform, description = _transform(profile)
        if transform is None:
            return image, None
        converted = _apply(transform, image)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image, _IGNORED
    return converted, f"colours were converted from {description} to sRGB"


@lru_cache(maxsize=8)
def _transform(profile: bytes) -> tuple[ImageCms.ImageCmsTransform | None, str]:
    """From ``profile`` to sRGB, None if it is the same; and the profile's name.

    Raises :class:`ValueError` or an error of ImageCms if the profile can't be used.
    """
    if len(profile) > _MAX_PROFILE:
        raise ValueError
    opened = ImageCms.getOpenProfile(io.BytesIO(profile))
    mode = _MODES.get(opened.profile.xcolor_space)
    if mode is None:
        raise ValueError
    srgb = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(opened, srgb, mode, "RGB", _INTENT, _FLAGS)
    if mode != "CMYK" and _is_identity(transform, mode):
        return None, ""
    description = short(ImageCms.getProfileDescription(opened).strip())
    return transform, description or "the file's colour profile"


def _is_identity(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Whether colours all over the cube, or all greys, stay as they are."""
    levels = np.arange(0, 256, 15, dtype=np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    pixels = Image.fromarray(cube) if mode == "RGB" else Image.fromarray(levels[None])
    converted = ImageCms.applyTransform(pixels, transform)
    assert converted is not None
    difference = np.asarray(converted, np.int16) - np.asarray(pixels.convert("RGB"), np.int16)
    return int(np.abs(difference).max()) <= _ROUNDING


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    """Raises :class:`ValueError` if the profile is for pixels of another kind."""
    mode = transform.inputMode
    is_grey = image.mode in ("1", "L", "LA", "La")
    if (image.mode == "CMYK") != (mode == "CMYK") or (mode == "L" and not is_grey):
        raise ValueError
    has_alpha = image.has_transparency_data
    result = Image.new("RGBA" if has_alpha else "RGB", image.size)
    for top in range(0, image.height, BAND):
        band = image.crop((0, top, image.width, min(top + BAND, image.height)))
        if has_alpha:
            band = band.convert("LA" if mode == "L" else "RGBA")
        colours = ImageCms.applyTransform(band.convert(mode), transform)
        assert colours is not None
        if has_alpha:
            colours.putalpha(band.getchannel("A"))
        result.paste(colours, (0, top))
    return result
