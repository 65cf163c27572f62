"""Damage that suits any file."""

from __future__ import annotations

import struct
from random import Random

EDGES = (0, 1, 7, 8, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1)


def damaged(random: Random, data: bytes) -> bytes:
    """``data`` after one to three accidents."""
    for _ in range(random.randint(1, 3)):
        data = random.choice(_ACCIDENTS)(random, data)
    return data


def _truncate(random: Random, data: bytes) -> bytes:
    return data[: random.randint(0, len(data))]


def _flip_bits(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16)) if data else 0):
        changed[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _flip_early_bits(random: Random, data: bytes) -> bytes:
    return _flip_bits(random, data[:100]) + data[100:]


def _write_edge(random: Random, data: bytes) -> bytes:
    """A number at the edge of its range, where a length or an offset may stand."""
    place = random.randint(0, min(len(data), random.choice((32, 64, 512, 2**20))))
    order = random.choice("<>")
    kind = random.choice("BHIQ")
    number = random.choice(EDGES) % 2 ** (8 * struct.calcsize(kind))
    written = struct.pack(order + kind, number)
    return data[:place] + written + data[place + len(written) :]


def _cut_out(random: Random, data: bytes) -> bytes:
    start, end = sorted(random.randint(0, len(data)) for _ in range(2))
    return data[:start] + data[end:]


def _repeat(random: Random, data: bytes) -> bytes:
    start, end = sorted(random.randint(0, len(data)) for _ in range(2))
    return data[:end] + data[start:end] * random.choice((1, 2, 50)) + data[end:]


def _insert(random: Random, data: bytes) -> bytes:
    place = random.randint(0, len(data))
    noise = random.choice(
        (random.randbytes(9), bytes(99), b"\xff" * 99, b"PK\x03\x04", b"<script>alert(1)</script>")
    )
    return data[:place] + noise + data[place:]


_ACCIDENTS = (
    _truncate,
    _flip_bits,
    _flip_bits,
    _flip_early_bits,
    _write_edge,
    _write_edge,
    _cut_out,
    _repeat,
    _insert,
)
