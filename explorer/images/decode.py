"""Any file as an upright 8-bit RGB picture, or an error that says why it is none.

The content decides the format, not the file's extension. Sizes are checked before a pixel is
decoded.
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
MIN_SIDE, MAX_SIDE = 8, 100_000
MAX_SCANS = 200  # of a progressive JPEG; each costs time, however few bytes it has
ELONGATED = 4
_BAND = 256  # rows that are converted at a time

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
    """A picture that can't be used."""


@dataclass(frozen=True)
class DecodedImage:
    """An upright 8-bit RGB picture, with ``notes`` for the person on how the file was changed."""

    image: Image.Image
    notes: tuple[str, ...]


def read_image(path: str | Path) -> DecodedImage:
    """The picture in the file at ``path``.

    Raises :class:`ImageError` if the file is missing, unreadable, too large or not a picture.
    """
    return decode_image(read_bytes(path), str(path))


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file that may be a picture.

    Raises :class:`ImageError` if the file is missing, unreadable or too large.
    """
    path = Path(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path} is a folder; name a picture in it")
        # Opening a pipe or a device could block for ever.
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{path} is not a regular file; name a picture")
        _check_bytes(status.st_size, str(path))
        return path.read_bytes()
    except ImageError:
        raise
    except FileNotFoundError:
        raise ImageError(f"{path} does not exist; check the path") from None
    except OSError as error:
        raise ImageError(
            f"{path} can't be read ({error.strerror}); check the path and its permissions"
        ) from None
    except ValueError:  # a NUL character
        raise ImageError(f"{str(path)!r} is not a path; check it") from None


def decode_image(data: bytes, name: str) -> DecodedImage:
    """The picture in ``data``, the bytes of a file; messages call it ``name``.

    Raises :class:`ImageError` if it is too large or not a picture.
    """
    _check_bytes(len(data), name)
    image = _open(data, name)
    check_dimensions(image.width, image.height, name)
    _check_scans(image, data, name)
    try:
        # The JPEG of a phone has two frames if it contains a preview, but it is not animated.
        can_move = image.format in ("GIF", "WEBP", "PNG")
        # Pillow looks for the second frame of a GIF here, which may fail as loading does.
        animated = can_move and bool(getattr(image, "is_animated", False))
        image.load()
    except MemoryError:
        raise
    except Exception:
        raise _damaged(name) from None
    notes = ["animated: its first frame is used"] if animated else []
    upright = _upright(image)
    if upright is not image:
        notes.append("turned upright as its EXIF data says")
    rgb, changes = _to_rgb(upright, sixteen_bits=_is_16_bit(data))
    notes += changes
    if max(rgb.size) > ELONGATED * min(rgb.size):
        notes.append(f"very elongated ({rgb.width} × {rgb.height} pixels): only its middle is used")
    return DecodedImage(rgb, tuple(notes))


def _check_bytes(count: int, name: str) -> None:
    if count == 0:
        raise ImageError(f"{name} is empty (0 bytes); choose another file")
    if count > MAX_BYTES:
        raise ImageError(
            f"{name} has {count / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} are read, "
            "so make it smaller"
        )


def _open(data: bytes, name: str) -> Image.Image:
    """The picture, of which only the header is read yet."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own limit
        limit = MAX_PIXELS // 1_000_000
        raise ImageError(
            f"{name} has too many pixels; at most {limit} million are read, so make it smaller"
        ) from None
    except MemoryError:
        raise
    except Exception:
        if data.startswith(_SIGNATURES):
            raise _damaged(name) from None
        raise ImageError(
            f"{name} is not a picture that can be read here; use {FORMATS_TEXT}"
        ) from None


def _damaged(name: str) -> ImageError:
    return ImageError(f"{name} is cut short or damaged; save or download it again")


def check_dimensions(width: int, height: int, name: str) -> None:
    """Raise :class:`ImageError` for a picture with too many or too few pixels."""
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} is {width} × {height} pixels; at most {MAX_PIXELS // 1_000_000} million "
            "are read, so make it smaller"
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width} × {height} pixels; each side must be at least {MIN_SIDE}, "
            "so choose a larger picture"
        )
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"{name} is {width} × {height} pixels; each side may have at most {MAX_SIDE:,}, "
            "so crop it or make it smaller"
        )


def _check_scans(image: Image.Image, data: bytes, name: str) -> None:
    # The marker of a scan: in compressed data a zero byte follows each 0xFF.
    if image.format == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS:
        raise ImageError(
            f"{name} has more than {MAX_SCANS} scans, which takes long to read; save it again as "
            "an ordinary JPEG"
        )


def _upright(image: Image.Image) -> Image.Image:
    """The picture turned as its EXIF orientation says; ``image`` itself if it is upright."""
    try:
        method = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF data
        method = None
    return image if method is None else image.transpose(method)


def _is_16_bit(data: bytes) -> bool:
    """Whether ``data`` is a 16-bit PNG; Pillow silently reads the high bytes of 16-bit colour."""
    return data.startswith(b"\x89PNG\r\n") and data[24] == 16


def _to_rgb(image: Image.Image, *, sixteen_bits: bool) -> tuple[Image.Image, list[str]]:
    """The picture as 8-bit RGB with transparent areas on white, and notes on the changes."""
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
    min_alpha = rgba.getchannel("A").getextrema()[0]
    if min_alpha == 255:
        return rgba.convert("RGB"), notes
    notes.append("transparent areas are shown on white")
    return _on_white(rgba), notes


def _on_white(rgba: Image.Image) -> Image.Image:
    """The picture without its alpha channel, in bands: 24 megapixels at once took 530 MB."""
    result = Image.new("RGB", rgba.size)
    for top in range(0, rgba.height, _BAND):
        band = rgba.crop((0, top, rgba.width, min(top + _BAND, rgba.height)))
        white = Image.new("RGBA", band.size, (255, 255, 255, 255))
        result.paste(Image.alpha_composite(white, band).convert("RGB"), (0, top))
    return result


def _scale_grey(image: Image.Image) -> Image.Image:
    """16-bit grey as 8 bits, by v / 257, which maps 65535 to 255; Pillow would clip at 255.

    A transparent colour becomes an alpha channel.
    """
    values = np.asarray(image)
    eight_bits = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BAND):  # as floating point numbers take eight times as much
        eight_bits[top : top + _BAND] = np.rint(values[top : top + _BAND] / 257)
    grey = Image.fromarray(eight_bits)
    if "transparency" in image.info:
        alpha = np.where(values == image.info["transparency"], 0, 255).astype(np.uint8)
        grey.putalpha(Image.fromarray(alpha))
    return grey
