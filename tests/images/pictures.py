"""Pictures as the bytes of files, some written by hand."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from explorer.images.decode import ImageError, decode_image

RAMP = np.stack(np.meshgrid(np.arange(24) * 10, np.arange(16) * 15, indexing="xy"), axis=-1)
PIXELS = np.concatenate([RAMP, np.full((16, 24, 1), 77)], axis=-1).astype(np.uint8)  # [16, 24, 3]
PICTURE = Image.fromarray(PIXELS)
pillow_heif.register_heif_opener()  # for saving; the explorer reads without it


def noise(width: int, height: int) -> Image.Image:
    """The same pixels in every process, in contrast to Pillow's ``effect_noise``."""
    values = np.random.default_rng(width + height).integers(0, 256, (height, width, 3))
    return Image.fromarray(values.astype(np.uint8))


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG written by hand. Filter bytes of 0 are added to ``rows``; ``extra`` are chunks."""
    stride = len(rows) // height
    filtered = b"".join(b"\0" + rows[i * stride : (i + 1) * stride] for i in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + b"".join(extra)
        + chunk(b"IDAT", zlib.compress(filtered))
        + chunk(b"IEND", b"")
    )


def bomb(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def array(data: bytes, name: str = "picture.png") -> np.ndarray:
    return np.asarray(decode_image(data, name).image)


def one_sentence(error: pytest.ExceptionInfo[ImageError]) -> str:
    """The message, after checking that it is one sentence on one line, without a traceback."""
    text = str(error.value)
    assert not text.endswith(".")
    assert ". " not in text
    assert "\n" not in text
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return text
