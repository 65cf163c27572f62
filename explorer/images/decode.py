"""Any file as an upright 8-bit RGB picture, or an error that says why it is none.

The content decides the format, not the file's extension. Sizes are checked before a pixel is
decoded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import ExifTags, Image

from explorer.errors import UserError
from explorer.images.formats import CAMERA_RAW, FORMATS, HEAD, is_heif, is_picture, why_not
from explorer.images.modes import ValuesBeyond, to_rgb

MAX_PIXELS = 25_000_000  # a photograph of 24 megapixels has a little more
# A JPEG with more is decoded at a half of its size, which takes a quarter of the memory.
MAX_JPEG_PIXELS = 2 * MAX_PIXELS
_JPEG = b"\xff\xd8"  # how one begins
MAX_BYTES = 64 * 2**20
MIN_SIDE, MAX_SIDE = 8, 100_000
LIMITS_TEXT = (  # of a picture, in words
    f"at least {MIN_SIDE} × {MIN_SIDE} pixels, and up to {MAX_PIXELS // 1_000_000} million "
    f"(a JPEG: {MAX_JPEG_PIXELS // 1_000_000})"
)
MAX_SCANS = 200  # of a progressive JPEG; each costs time, however few bytes it has
ELONGATED = 4
_DNG_VERSION, _KIND_OF_PAGE, _PREVIEW = 50706, 254, 1  # tags of TIFF, and a value
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


def decode_image(data: bytes, name: str) -> DecodedImage:
    """The picture in ``data``, the bytes of a file; messages call it ``name``.

    Raises :class:`ImageError` if it is too large or not a picture.
    """
    check_bytes(len(data), name)
    image = _open(data, name)
    if _is_camera_raw(image):
        raise ImageError(f"{name} {CAMERA_RAW}")
    notes = _check_and_reduce(image, data, name)
    orientation = _orientation(image)
    try:
        notes += _further_pictures(image)
        image.load()
    except MemoryError:
        raise
    except Exception:
        raise _damaged(name) from None
    # What a file says of its size need not hold: HEIC is known when it is decoded.
    check_dimensions(image.width, image.height, name)
    if orientation in _UPRIGHT:
        notes.append("rotated upright (EXIF)")
    if _orientation(image) in _UPRIGHT:  # Pillow itself has turned a TIFF
        image = image.transpose(_UPRIGHT[orientation])
    try:
        rgb, changes = to_rgb(image, data)
    except ValuesBeyond:
        raise ImageError(
            f"{name} has values beyond those of a 16-bit picture; save it with 8 or 16 bits"
        ) from None
    notes += changes
    if max(rgb.size) > ELONGATED * min(rgb.size):
        notes.append(f"very elongated ({rgb.width} × {rgb.height} pixels): only its middle is used")
    return DecodedImage(rgb, tuple(notes))


def check_bytes(count: int, name: str) -> None:
    """Raise :class:`ImageError` for a file that is empty or too large."""
    if count == 0:
        raise ImageError(f"{name} is empty (0 bytes); choose another file")
    if count > MAX_BYTES:
        raise ImageError(
            f"{name} has {count / 2**20:.0f} MiB; at most {MAX_BYTES // 2**20} are read, "
            "so make it smaller"
        )


def _open(data: bytes, name: str) -> Image.Image:
    """The picture, of which only the header is read yet."""
    head = data[:HEAD]
    try:
        if is_heif(head):
            return _open_heif(data)
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow's own limit
        most = MAX_JPEG_PIXELS if head.startswith(_JPEG) else MAX_PIXELS
        raise ImageError(
            f"{name} has too many pixels; at most {most // 1_000_000} million are read, so make it "
            "smaller"
        ) from None
    except MemoryError:
        raise
    except Exception:
        if is_picture(head):
            raise _damaged(name) from None
        raise ImageError(f"{name} {why_not(head)}") from None


def _open_heif(data: bytes) -> Image.Image:
    """Without registering pillow-heif with Pillow, which would hold for the whole process."""
    from pillow_heif import HeifImageFile

    return HeifImageFile(io.BytesIO(data))  # type: ignore[no-untyped-call]


def _is_camera_raw(image: Image.Image) -> bool:
    """Whether a TIFF is a DNG, NEF or the like, of which Pillow would read the small preview."""
    tags = getattr(image, "tag_v2", {})
    return _DNG_VERSION in tags or tags.get(_KIND_OF_PAGE, 0) == _PREVIEW


def _damaged(name: str) -> ImageError:
    return ImageError(f"{name} is cut short or damaged; save or download it again")


def check_dimensions(width: int, height: int, name: str) -> None:
    """Raise :class:`ImageError` for a picture with too many or too few pixels."""
    if width * height > MAX_PIXELS:
        raise _too_many_pixels(width, height, MAX_PIXELS, name)
    if min(width, height) < MIN_SIDE:
        raise ImageError(
            f"{name} is {width:,} × {height:,} pixels; each side must be at least {MIN_SIDE}, "
            "so choose a larger picture"
        )
    if max(width, height) > MAX_SIDE:
        raise ImageError(
            f"{name} is {width:,} × {height:,} pixels; each side may have at most {MAX_SIDE:,}, "
            "so crop it or make it smaller"
        )


def _too_many_pixels(width: int, height: int, most: int, name: str) -> ImageError:
    return ImageError(
        f"{name} is {width:,} × {height:,} pixels; at most {most // 1_000_000} million are read, "
        "so make it smaller"
    )


def _check_and_reduce(image: Image.Image, data: bytes, name: str) -> list[str]:
    """Check a picture of which only the header is read, and let a large JPEG be decoded at half
    its size; the notes on that.
    """
    width, height = image.size
    if image.format not in ("JPEG", "MPO") or width * height <= MAX_PIXELS:
        check_dimensions(width, height, name)
    elif width * height > MAX_JPEG_PIXELS:
        raise _too_many_pixels(width, height, MAX_JPEG_PIXELS, name)
    _check_scans(image, data, name)
    if width * height <= MAX_PIXELS:
        return []
    image.draft(None, (width // 2, height // 2))
    check_dimensions(image.width, image.height, name)
    return [f"read at half its size: {image.width:,} of {width:,} pixels across"]


def _check_scans(image: Image.Image, data: bytes, name: str) -> None:
    # The marker of a scan: in compressed data a zero byte follows each 0xFF.
    if image.format in ("JPEG", "MPO") and data.count(b"\xff\xda") > MAX_SCANS:
        raise ImageError(
            f"{name} has more than {MAX_SCANS} scans, which takes long to read; save it again as "
            "an ordinary JPEG"
        )


def _further_pictures(image: Image.Image) -> list[str]:
    """The note that the file has more pictures than the one that is used."""
    # Pillow looks for the second frame of a GIF here, which may fail as loading does. The JPEG of a
    # phone has two frames if it contains a preview, but it is not animated.
    if image.format in (None, "JPEG", "MPO") or not getattr(image, "is_animated", False):
        return []
    if image.format == "TIFF":
        return ["several pages: the first is used"]
    if image.format == "HEIF":
        return ["several pictures in one file: the main one is used"]
    return ["animated: its first frame is used"]


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF data
        return 1
