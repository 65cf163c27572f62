"""Colour profiles (ICC) written by hand."""

from __future__ import annotations

import struct

import numpy as np

# Red, green and blue as XYZ under D50, the columns of the matrix from linear RGB.
SRGB = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]]
)
DISPLAY_P3 = np.array(
    [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
)
_WHITE = (0.9642, 1.0, 0.8249)


def profile(name: str, matrix: np.ndarray) -> bytes:
    """A display's profile with sRGB's curve."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += _fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    tags = {b"desc": _text(name), b"cprt": _text("none"), b"wtpt": _xyz(_WHITE)}
    for letter, column in zip(b"rgb", matrix.T, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(column)
        tags[bytes([letter]) + b"TRC"] = curve
    return _file(b"RGB ", b"mntr", tags)


def grey_profile(gamma: float) -> bytes:
    """A profile of grey with a power as its curve."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 0, 0) + _fixed(gamma)
    tags = {b"desc": _text("Grey"), b"cprt": _text("none"), b"wtpt": _xyz(_WHITE), b"kTRC": curve}
    return _file(b"GRAY", b"mntr", tags)


def _file(space: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, content in tags.items():
        table += tag + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = start + len(body)
    header = struct.pack(">I4sI", size, b"none", 0x04300000) + kind + space + b"XYZ "
    header += bytes(12) + b"acsp" + bytes(28) + _fixed(*_WHITE)
    return header.ljust(128, b"\0") + table + body


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: object) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _text(words: str) -> bytes:
    utf16 = words.encode("utf-16-be")
    return (
        b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(utf16), 28) + utf16
    )
