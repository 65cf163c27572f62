"""A picture that somebody uploaded or named, decoded in a process of its own.

It gives the pixels, notes and messages of :mod:`explorer.images.decode`, and ends when it takes too
long, takes too much memory, or when the request is cancelled.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from PIL import AvifImagePlugin, Image

from explorer.images.decode import (
    MAX_PIXELS,
    DecodedImage,
    ImageError,
    check_dimensions,
    decode_image,
)
from explorer.images.formats import HEAD, is_heif
from explorer.images.read import read_bytes
from explorer.sandbox import Limits, Message, Pool, ReadingFailed, Refused
from explorer.sandbox.process import Cancel

LIMITS = Limits(seconds=2, memory=500 * 2**20, reply=3 * MAX_PIXELS + 64)
_POOL = Pool(f"{__name__}:handle", size=2)
# Its decoder starts threads, which the processes that read all other formats may not.
_HEIF_POOL = Pool(f"{__name__}:handle", size=1, threads=True)
_FAILURES = {
    "time": "{} takes too long to read; save it again as an ordinary PNG or JPEG",
    "memory": "{} takes too much memory to read; make it smaller or save it again as a JPEG",
    "crash": "{} is cut short or damaged; save or download it again",
}


def warm() -> None:
    """Start the process in the background."""
    _POOL.warm()


def read_isolated(path: str | Path, cancelled: Cancel | None = None) -> DecodedImage:
    """The picture in the file at ``path``, as :func:`decode_isolated` does it."""
    return decode_isolated(read_bytes(path), str(path), cancelled)


def decode_isolated(data: bytes, name: str, cancelled: Cancel | None = None) -> DecodedImage:
    """The picture in ``data``, the bytes of a file; messages call it ``name``.

    Raises :class:`ImageError`, also for a file that took too long or too much memory, and
    :class:`~explorer.errors.Cancelled`.
    """
    try:
        pool = _HEIF_POOL if is_heif(data[:HEAD]) else _POOL
        reply = pool.ask(Message({"name": name}, data), LIMITS, cancelled)
    except Refused as error:
        raise ImageError(str(error)) from None
    except ReadingFailed as error:
        raise ImageError(_FAILURES[error.reason].format(name)) from None
    return _verified(reply, name)


def handle(request: Message) -> Message:
    """The reply of the process: its values have the notes, its bytes are a PPM file."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # none but this one, as it may start none
    decoded = decode_image(bytes(request.data), request.values["name"])  # type: ignore[arg-type]
    image = decoded.image

    def write(pipe: BinaryIO) -> None:
        image.save(pipe, "PPM")  # straight from the picture's memory, 30 ms less for 12 megapixels

    size = len(_ppm_header(*image.size)) + 3 * image.width * image.height
    values = {"width": image.width, "height": image.height, "notes": decoded.notes}
    return Message(values, write, size)


def _verified(reply: Message, name: str) -> DecodedImage:
    """The picture in a reply, which a process that was taken over by its file could have made."""
    try:
        width, height, notes = (reply.values[key] for key in ("width", "height", "notes"))
        header = _ppm_header(_whole(width), _whole(height))
        check_dimensions(width, height, name)
        pixels = memoryview(reply.data)  # type: ignore[arg-type]
        if pixels[: len(header)] != header:
            raise ValueError
        if not all(isinstance(note, str) for note in notes):
            raise ValueError
        image = Image.frombytes("RGB", (width, height), pixels[len(header) :])
    except (KeyError, TypeError, ValueError):
        raise ImageError(_FAILURES["crash"].format(name)) from None
    return DecodedImage(image, tuple(notes))


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _ppm_header(width: int, height: int) -> bytes:
    return b"P6\n%d %d\n255\n" % (width, height)
