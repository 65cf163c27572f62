"""Pictures of every format: damaged, with headers that lie, bombs, and two files in one."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

from tests.hostile.mutations import EDGES, damaged
from tests.images.pictures import chunk, encoded, png
from tests.images.profiles import DISPLAY_P3, grey_profile, profile


def picture(random: Random) -> bytes:
    """One file."""
    make = random.choice((_damaged, _damaged, _damaged, _lying, _bomb, _two_in_one))
    return make(random)


@cache
def _intact() -> tuple[bytes, ...]:
    """A file of every format and mode."""
    generator = np.random.default_rng(0)
    noise = Image.fromarray(generator.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    smooth = noise.resize((64, 48), Image.Resampling.BICUBIC)
    alpha = smooth.convert("RGBA")
    alpha.putalpha(smooth.convert("L"))
    frames = [noise.rotate(angle) for angle in (0, 90, 180)]
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "x" * 300
    moving = {"save_all": True, "append_images": frames[1:]}
    palette = smooth.convert("P", palette=Image.Palette.ADAPTIVE)
    return (
        *(encoded(smooth.convert(mode)) for mode in ("RGB", "L", "1", "LA", "I;16", "P")),
        encoded(alpha),
        encoded(noise, "PNG", **moving),
        encoded(palette, "PNG", transparency=3),
        encoded(smooth, "JPEG", exif=exif),
        encoded(smooth, "JPEG", progressive=True, restart_marker_rows=1),
        encoded(smooth.convert("L"), "JPEG"),
        encoded(smooth.convert("CMYK"), "JPEG"),
        encoded(smooth, "MPO", save_all=True, append_images=[noise]),
        encoded(smooth, "WEBP", exif=exif),
        encoded(alpha, "WEBP", lossless=True),
        encoded(noise, "WEBP", **moving),
        encoded(palette, "GIF"),
        encoded(noise, "GIF", **moving, disposal=2),
        *(encoded(smooth.convert(mode), "BMP") for mode in ("RGB", "L", "1", "RGBA")),
        *(encoded(smooth.convert(mode), "TIFF") for mode in ("RGB", "LA", "F", "I;16", "CMYK")),
        encoded(alpha, "TIFF", compression="tiff_lzw", exif=exif),
        encoded(smooth.convert("YCbCr"), "TIFF", compression="jpeg"),
        encoded(noise, "TIFF", **moving, compression="tiff_adobe_deflate"),
        encoded(alpha, "AVIF", exif=exif, speed=10),
        encoded(noise, "AVIF", **moving, speed=10),
        encoded(smooth, "HEIF", exif=exif.tobytes(), icc_profile=profile("P3", DISPLAY_P3)),
        encoded(alpha, "HEIF", **moving),
        encoded(smooth, icc_profile=profile("P3", DISPLAY_P3)),
        encoded(smooth.convert("L"), "TIFF", icc_profile=grey_profile(1.8)),
        _run_length_bmp(9, 9, b"\x09\x01" * 9 + b"\0\1"),
    )


def _damaged(random: Random) -> bytes:
    return damaged(random, random.choice(_intact()))


def _two_in_one(random: Random) -> bytes:
    """The beginning of one file and the end of another, or one after the other."""
    first, second = random.choice(_intact()), random.choice(_intact())
    if random.random() < 0.5:
        return first + second
    return first[: random.randint(0, len(first))] + second[random.randint(0, len(second)) :]


def _side(random: Random) -> int:
    return random.choice((*EDGES, 100, 1000, 4000, 100_000))


def _lying(random: Random) -> bytes:
    """A header that promises another size than the file has."""
    width, height = _side(random), _side(random)
    kind = random.choice(("PNG", "JPEG", "GIF", "BMP", "WEBP"))
    if kind == "PNG":
        bits, colour = random.choice((1, 2, 4, 8, 16, 3)), random.choice((0, 2, 3, 4, 6, 5))
        header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, random.choice((0, 1)))
        body = zlib.compress(bytes(random.choice((0, 99, 100_000))))
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body)
    data = bytearray(next(each for each in _intact() if each.startswith(_START[kind])))
    if kind == "JPEG":
        place = data.index(b"\xff\xc0") + 5
        data[place : place + 4] = struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)
    elif kind == "GIF":
        place = random.choice((6, data.index(b",") + 5))
        data[place : place + 4] = struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)
    elif kind == "BMP":
        data[18:26] = struct.pack("<II", width, height)
    else:
        place = random.choice((24, 26))
        data[place : place + 4] = struct.pack("<I", width)
    return bytes(data)


_START = {"JPEG": b"\xff\xd8", "GIF": b"GIF8", "BMP": b"BM", "WEBP": b"RIFF"}


def _bomb(random: Random) -> bytes:
    return random.choice(_BOMBS)(random)


def _pixel_bomb(random: Random) -> bytes:
    side = random.choice((1000, 2000, 4800, 5000, 40_000))
    width, height = random.choice(((side, side), (8, side * 20), (side * 20, 8)))
    rows = bytes(min(width * height, 24_000_000) + height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + data + chunk(b"IEND", b"")


def _scans(random: Random) -> bytes:
    """A progressive JPEG with one scan many times over."""
    side = random.choice((64, 1000, 3000))
    data = encoded(Image.new("RGB", (side, side)), "JPEG", progressive=True)
    start = data.index(b"\xff\xda")
    end = data.index(b"\xff", start + 2)
    return data[:start] + data[start:end] * random.choice((10, 150, 199, 5000)) + data[end:]


def _run_length_bmp(width: int, height: int, runs: bytes) -> bytes:
    palette = bytes(1024)
    offset = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(runs), 0, 0, offset) + info + palette + runs


def _runs(random: Random) -> bytes:
    """A BMP of very short runs, of jumps or of ends of lines."""
    run = random.choice((b"\1\5", b"\0\2\0\0", b"\0\2\1\0", b"\0\0", b"\0\3abc\0", b"\2\2"))
    side = random.choice((500, 2000, 4800))
    return _run_length_bmp(side, side, run * random.choice((1000, 250_000, 2_000_000)) + b"\0\1")


def _frames(random: Random) -> bytes:
    """An animation of very many frames."""
    kind = random.choice(("GIF", "WEBP", "PNG"))
    side, count = random.choice(((16, 300), (9, 1000), (1000, 20)))
    first, second = Image.new("P", (side, side), 1), Image.new("P", (side, side), 2)
    frames = [first if index % 2 else second for index in range(count)]
    data = encoded(first, kind, save_all=True, append_images=frames, duration=10)
    if kind == "GIF" and random.random() < 0.5:
        place = data.index(b",", 20)
        data = data[:place] + data[place:-1] * random.choice((5, 100)) + b";"
    return data


def _texts(random: Random) -> bytes:
    """A PNG with very much text, compressed or not, or with an enormous profile."""
    plain = Image.new("RGB", (16, 16))
    size = random.choice((1000, 900_000, 5_000_000, 60_000_000))
    body = b"Comment\0\0" + zlib.compress(bytes(size), 1)
    name = random.choice((b"zTXt", b"iCCP", b"iTXt", b"eXIf", b"tEXt", b"xxXx"))
    extra = chunk(name, body) * random.choice((1, 3, 100))
    information = PngImagePlugin.PngInfo()
    information.add_text("key", "v" * min(size, 10_000), zip=True)
    data = encoded(plain, "PNG", pnginfo=information)
    return data[:33] + extra + data[33:]


def _pieces(random: Random) -> bytes:
    """A file in very many small pieces."""
    count = random.choice((100, 10_000, 300_000))
    kind = random.choice(("PNG", "GIF", "JPEG", "WEBP"))
    if kind == "PNG":
        data = png(16, 16, 8, 0, bytes(256), *[chunk(b"IDAT", b"")] * min(count, 100_000))
        return data
    data = next(each for each in _intact() if each.startswith(_START[kind]))
    if kind == "GIF":
        return data[:13] + b"!\xfe\1a\0" * count + data[13:]
    if kind == "JPEG":
        segment = random.choice((b"\xff\xfe\0\2", b"\xff\xe1\0\x08Exif\0\0", b"\xff\xd0"))
        return data[:2] + segment * count + data[2:]
    body = data[8:] + b"XXXX\0\0\0\0" * count
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _exif(random: Random) -> bytes:
    """Directories of EXIF that hold themselves, or as many entries as fit."""
    entries = random.choice((1, 200, 65535))
    tag = random.choice((0x0112, 0x8769, 0x8825, 0xA005))
    entry = struct.pack("<HHII", tag, random.choice((3, 4, 13)), random.choice(EDGES), 8)
    body = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", entries) + entry * min(entries, 5000)
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", exif=(body + b"\x08\0\0\0")[:65000])
    return buffer.getvalue()


def _many_mega(random: Random) -> bytes:
    """A large picture in the mode whose conversion takes the most memory."""
    mode = random.choice(("RGBA", "LA", "I;16", "CMYK", "P", "1"))
    image = Image.new(mode, (4896, 4896), 5 if mode in ("P", "I;16", "1") else None)
    if mode == "CMYK":
        return encoded(image, "JPEG")
    return encoded(image, "PNG", compress_level=1)


_BOMBS: tuple[Callable[[Random], bytes], ...] = (
    _pixel_bomb,
    _scans,
    _runs,
    _frames,
    _texts,
    _pieces,
    _pieces,
    _exif,
    _exif,
    _many_mega,
)
