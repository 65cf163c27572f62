"""Pictures of every mode of Pillow as 8-bit sRGB without alpha."""

from __future__ import annotations

import numpy as np
from PIL import Image

from explorer.images.colour import BAND, to_srgb

_TIFF_BITS = 258  # the tag BitsPerSample
_LARGEST = 65535
_SCALED = "16-bit values were scaled to 8 bits"
_SCALED_FLOATS = "floating point values from 0 to 1 were scaled to 8 bits"


class ValuesBeyond(ValueError):
    """Values outside of 0 to 65535, or of 0 to 1 if they are floating point numbers."""


def to_rgb(image: Image.Image, data: bytes) -> tuple[Image.Image, list[str]]:
    """The picture, whose file is ``data``, in 8-bit sRGB with transparent areas on white, and notes
    on the changes.

    Raises :class:`ValuesBeyond`.
    """
    notes = []
    profile = image.info.get("icc_profile")
    if image.mode == "F" or image.mode.startswith("I"):
        image, note = _to_8_bits(image)
        notes.append(note)
    elif _is_16_bit(image, data):
        notes.append(_SCALED)
    if image.mode == "CMYK":
        notes.append("converted from CMYK")
    image, note_on_colours = to_srgb(image, profile)
    if note_on_colours:
        notes.append(note_on_colours)
    if not image.has_transparency_data:
        return image.convert("RGB"), notes
    rgba = image.convert("RGBA")
    min_alpha = rgba.getchannel("A").getextrema()[0]
    if min_alpha == 255:
        return rgba.convert("RGB"), notes
    notes.append("transparent areas are shown on white")
    return _on_white(rgba), notes


def _on_white(rgba: Image.Image) -> Image.Image:
    """The picture without its alpha channel, in bands: 24 megapixels at once took 530 MB."""
    result = Image.new("RGB", rgba.size)
    for top in range(0, rgba.height, BAND):
        band = rgba.crop((0, top, rgba.width, min(top + BAND, rgba.height)))
        white = Image.new("RGBA", band.size, (255, 255, 255, 255))
        result.paste(Image.alpha_composite(white, band).convert("RGB"), (0, top))
    return result


def _is_16_bit(image: Image.Image, data: bytes) -> bool:
    """Whether ``data``, the file of ``image``, has 16 bits; Pillow reads the high bytes of 16-bit
    colour and says nothing.
    """
    if data.startswith(b"\x89PNG\r\n"):
        return data[24] == 16
    bits = getattr(image, "tag_v2", {}).get(_TIFF_BITS, ())
    return 16 in (bits if isinstance(bits, tuple) else (bits,))


def _to_8_bits(image: Image.Image) -> tuple[Image.Image, str]:
    """Grey of 16 bits by v / 257, which maps 65535 to 255 (Pillow would clip at 255), or of
    floating point numbers by 255 v; with the note on it.

    A transparent colour becomes an alpha channel. Raises :class:`ValuesBeyond`.
    """
    values = np.asarray(image)
    largest, note = (1, _SCALED_FLOATS) if image.mode == "F" else (_LARGEST, _SCALED)
    eight_bits = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), BAND):  # as floating point numbers take eight times as much
        band = values[top : top + BAND]
        if not (band.min() >= 0 and band.max() <= largest):  # also if one is not a number
            raise ValuesBeyond
        eight_bits[top : top + BAND] = np.rint(band / (largest / 255))
    grey = Image.fromarray(eight_bits)
    if "transparency" in image.info:
        alpha = np.where(values == image.info["transparency"], 0, 255).astype(np.uint8)
        grey.putalpha(Image.fromarray(alpha))
    return grey, note
