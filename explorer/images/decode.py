"""Any file a person may offer → an upright 8-bit RGB picture, or one sentence that says why not.

The format is told by the content, never by the extension. Sizes are checked before a pixel is decoded.
"""

from __future__ import annotations

import io
import stat
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from explorer.errors import UserError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
FORMATS_TEXT = "PNG, JPEG, WebP, GIF or BMP"
MAX_PIXELS = 24_000_000
MAX_BYTES = 64 * 2**20
MIN_SIDE = 8
ELONGATED = 4

_SIGNATURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF")
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageError(UserError):
    """A picture that can't be used; the message is one sentence: what is wrong and what to do."""


@dataclass(frozen=True)
class Decoded:
    """``image``: 8-bit RGB, upright. ``notes``: what was done to get there, for the person who offered it."""

    image: Image.Image
    notes: tuple[str, ...]


def read(path: str | Path) -> Decoded:
    """Decode the file at ``path``. Raises :class:`ImageError` when it is missing, unreadable, too large or no picture."""
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path} is a folder; name a picture in it.")
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a regular file; name a picture.")
        _check_bytes(status.st_size, str(path))
        data = path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist; check the path.") from None
    except OSError as error:
        raise ImageError(
            f"{path} can't be read ({error.strerror}); check the path and its permissions."
        ) from None
    except ValueError as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(f"{str(path)!r} is not a path; check it.") from None  # a NUL character
    return decode(data, str(path))


def decode(data: bytes, name: str) -> Decoded:
    """Decode the bytes of a picture; ``name`` is what messages call it. Raises :class:`ImageError`."""
    _check_bytes(len(data), name)
    image = _open(data, name)
    _check_size(image.width, image.height, name)
    try:
        # A phone's JPEG with a preview inside has two frames too, but is not animated. A GIF looks for its second here.
        animated = image.format in ("GIF", "WEBP", "PNG") and bool(
            getattr(image, "is_animated", False)
        )
        image.load()
    except Exception:
        raise _damaged(name) from None
    notes = ["animated: its first frame is used"] if animated else []
    image, turned = _upright(image)
    if turned:
        notes.append("turned upright as its EXIF data says")
    rgb, changes = _to_rgb(image, sixteen_bits=_is_16_bit(data))
    notes += changes
    if max(rgb.size) > ELONGATED * min(rgb.size):
        notes.append(f"very elongated ({rgb.width} × {rgb.height} pixels): only its middle is used")
    return Decoded(rgb, tuple(notes))


def _check_bytes(count: int, name: str) -> None:
    if count == 0:
        raise ImageError(f"{name} is empty (0 bytes); choose another file.")
    if count > MAX_BYTES:
        raise ImageError(
            f"{name} has {count / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} are read, so make it smaller."
        )


def _open(data: bytes, name: str) -> Image.Image:
    """The header only. Pillow has a bomb check of its own here, at far larger sizes than ours."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        limit = MAX_PIXELS // 1_000_000
        raise ImageError(
            f"{name} has too many pixels; at most {limit} million are read, so make it smaller."
        ) from None
    except Exception:
        if data.startswith(_SIGNATURES):
            raise _damaged(name) from None
        raise ImageError(
            f"{name} is not a picture that can be read here; use {FORMATS_TEXT}."
        ) from None


def _damaged(name: str) -> ImageError:
    return ImageError(f"{name} is cut short or damaged; save or download it again.")


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} is {width} × {height} pixels; at most {MAX_PIXELS // 1_000_000} million are read, so make it smaller."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width} × {height} pixels; each side must be at least {MIN_SIDE}, so choose a larger picture."
        )


def _upright(image: Image.Image) -> tuple[Image.Image, bool]:
    try:
        method = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        method = None
    return (image, False) if method is None else (image.transpose(method), True)


def _is_16_bit(data: bytes) -> bool:
    """PNG's header says so; Pillow reads 16-bit colour as 8 bits (the high byte) without a word."""
    return data.startswith(b"\x89PNG\r\n") and data[24] == 16


def _to_rgb(image: Image.Image, *, sixteen_bits: bool) -> tuple[Image.Image, list[str]]:
    """8-bit RGB with transparent areas on white, and notes on what changed."""
    notes = []
    if sixteen_bits:
        notes.append("16-bit values were scaled to 8 bits")
    if image.mode.startswith("I"):
        image = _scale_grey(image)
    if image.mode == "CMYK":
        notes.append("converted from CMYK")
    if not image.has_transparency_data:
        return image.convert("RGB"), notes
    rgba = image.convert("RGBA")
    lowest = rgba.getchannel("A").getextrema()[0]
    if lowest == 255:
        return rgba.convert("RGB"), notes
    notes.append("transparent areas are shown on white")
    white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, rgba).convert("RGB"), notes


def _scale_grey(image: Image.Image) -> Image.Image:
    """16-bit grey → 8 bits by v / 257, which takes 65535 to 255; Pillow's own conversion clips at 255 instead.

    A colour marked transparent becomes an alpha channel.
    """
    values = np.asarray(image)
    grey = Image.fromarray(np.rint(values / 257).astype(np.uint8))
    if "transparency" in image.info:
        grey.putalpha(
            Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8))
        )
    return grey
