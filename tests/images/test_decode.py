"""Every kind of file a person may offer: decoded rightly, with a note, or refused in one sentence."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.images import decode as module
from explorer.images.decode import ImageError, decode, read

RAMP = np.stack(np.meshgrid(np.arange(24) * 10, np.arange(16) * 15, indexing="xy"), axis=-1)
PIXELS = np.concatenate([RAMP, np.full((16, 24, 1), 77)], axis=-1).astype(np.uint8)  # [16, 24, 3]
PICTURE = Image.fromarray(PIXELS)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG by hand; ``rows`` without the filter bytes, which are added as 0; ``extra`` chunks go before the pixels."""
    stride = len(rows) // height
    filtered = b"".join(b"\0" + rows[i * stride : (i + 1) * stride] for i in range(height))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return (
        b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(filtered)) + chunk(b"IEND", b"")
    )


def bomb(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def array(data: bytes, name: str = "picture.png") -> np.ndarray:
    return np.asarray(decode(data, name).image)


def one_sentence(error: pytest.ExceptionInfo[ImageError]) -> str:
    """The message, after checking that it is one sentence on one line and that nothing of a traceback hangs on."""
    text = str(error.value)
    assert text.endswith(".")
    assert text.count(". ") == 0
    assert "\n" not in text
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return text


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP"])
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    grey = Image.fromarray(PIXELS[..., 0])
    source = grey if kind == "GIF" else PICTURE
    decoded = decode(encoded(source, kind, **({"lossless": True} if kind == "WEBP" else {})), "a")
    assert decoded.image.mode == "RGB"
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(source.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_extension_does_not_matter(kind: str) -> None:
    decoded = decode(encoded(PICTURE, kind), "picture.wrong")
    assert decoded.image.size == (24, 16)
    assert decoded.notes == ()


@pytest.mark.parametrize(
    "data",
    [b"MZ\x90\0" + bytes(500), b"hello, this is a text\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BMW", b"\0"],
)
def test_not_an_image(data: bytes) -> None:
    with pytest.raises(ImageError) as error:
        decode(data, "fake.png")
    assert one_sentence(error) == "fake.png is not a picture that can be read here; use PNG, JPEG, WebP, GIF or BMP."


def test_a_format_that_is_not_read_is_named_as_such() -> None:
    with pytest.raises(ImageError, match="use PNG, JPEG, WebP, GIF or BMP"):
        decode(encoded(PICTURE, "TIFF"), "scan.tiff")


def test_empty() -> None:
    with pytest.raises(ImageError) as error:
        decode(b"", "nothing.png")
    assert one_sentence(error) == "nothing.png is empty (0 bytes); choose another file."


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated(kind: str, share: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(ImageError) as error:
        decode(data[: int(len(data) * share)], "half.img")
    assert one_sentence(error) == "half.img is cut short or damaged; save or download it again."


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_broken_bytes_never_raise_anything_else(kind: str) -> None:
    generator = np.random.default_rng(1)
    sound = np.frombuffer(encoded(PICTURE, kind), dtype=np.uint8)
    refused = 0
    for _ in range(150):
        broken = sound.copy()
        broken[generator.integers(0, len(sound), 4)] = generator.integers(0, 256, 4)
        try:
            assert decode(broken.tobytes(), "a").image.mode == "RGB"
        except ImageError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_too_small(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError) as error:
        decode(encoded(Image.new("RGB", size)), "dot.png")
    width, height = size
    assert one_sentence(error) == (
        f"dot.png is {width} × {height} pixels; each side must be at least 8, so choose a larger picture."
    )


def test_smallest_allowed() -> None:
    assert decode(encoded(Image.new("RGB", (8, 8))), "a").image.size == (8, 8)


@pytest.mark.parametrize("size", [(6000, 4001), (50_000, 500), (20_000, 20_000), (2**31 - 1, 2**31 - 1)])
def test_huge_is_refused_by_its_header(size: tuple[int, int]) -> None:
    # The pixel data are missing: had a pixel been decoded, the message would be that of a damaged file.
    with pytest.raises(ImageError, match="at most 24 million are read") as error:
        decode(bomb(*size), "bomb.png")
    assert "damaged" not in one_sentence(error)


def test_exactly_24_megapixels_pass() -> None:
    assert decode(encoded(Image.new("L", (6000, 4000))), "a").image.size == (6000, 4000)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_animated_uses_the_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    decoded = decode(data, "moving")
    assert decoded.notes == ("animated: its first frame is used",)
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(frames[0]))


def test_an_animation_cut_at_its_second_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    second = data.index(b",", data.index(b",") + 1)  # a comma begins a frame
    with pytest.raises(ImageError) as error:
        decode(data[: second + 10], "moving.gif")
    assert one_sentence(error) == "moving.gif is cut short or damaged; save or download it again."


def test_a_phone_picture_with_a_preview_is_not_called_animated() -> None:
    small = Image.new("RGB", (8, 8))
    decoded = decode(encoded(PICTURE, "MPO", save_all=True, append_images=[small]), "phone.jpg")
    assert decoded.image.size == (24, 16)
    assert decoded.notes == ()


def test_cmyk() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    decoded = decode(encoded(red, "JPEG", quality=100), "print.jpg")
    assert decoded.notes == ("converted from CMYK",)
    np.testing.assert_allclose(np.asarray(decoded.image), np.broadcast_to([255, 0, 0], (16, 16, 3)), atol=2)


def test_16_bit_grey_is_rescaled_not_clipped() -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    decoded = decode(encoded(Image.fromarray(levels)), "depth.png")
    assert decoded.notes == ("16-bit values were scaled to 8 bits",)
    expected = np.arange(256).reshape(16, 16)
    np.testing.assert_array_equal(np.asarray(decoded.image), np.stack([expected] * 3, axis=-1))


def test_16_bit_grey_rounds_to_the_nearest_level() -> None:
    values = np.full((8, 8), 128, dtype=np.uint16)  # 128 / 257 is just under one half
    values[:, 4:] = 129
    assert array(encoded(Image.fromarray(values)))[0, :, 0].tolist() == [0] * 4 + [1] * 4


def test_16_bit_grey_with_a_transparent_colour() -> None:
    values = np.full((8, 8), 257 * 10, dtype=">u2")
    values[:, 4:] = 257 * 20
    data = png(8, 8, 16, 0, values.tobytes(), chunk(b"tRNS", struct.pack(">H", 257 * 20)))
    decoded = decode(data, "a")
    assert decoded.notes == ("16-bit values were scaled to 8 bits", "transparent areas are shown on white")
    assert np.asarray(decoded.image)[0, :, 0].tolist() == [10] * 4 + [255] * 4


def test_16_bit_colour() -> None:
    values = (PIXELS.astype(">u2") * 257).astype(">u2")
    decoded = decode(png(24, 16, 16, 2, values.tobytes()), "raw.png")
    assert decoded.notes == ("16-bit values were scaled to 8 bits",)
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


def test_rgba_is_shown_on_white() -> None:
    rgba = Image.new("RGBA", (16, 16), (100, 0, 200, 255))
    rgba.paste((100, 0, 200, 0), (8, 0, 16, 8))
    rgba.paste((100, 0, 200, 51), (8, 8, 16, 16))  # a fifth of it, four fifths of white
    decoded = decode(encoded(rgba), "logo.png")
    assert decoded.notes == ("transparent areas are shown on white",)
    pixels = np.asarray(decoded.image)
    assert pixels[0, 0].tolist() == [100, 0, 200]
    assert pixels[0, 15].tolist() == [255, 255, 255]
    assert pixels[15, 15].tolist() == [224, 204, 244]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_alpha_channel_changes_nothing_and_is_not_mentioned(mode: str) -> None:
    decoded = decode(encoded(PICTURE.convert(mode)), "a")
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(PICTURE.convert(mode).convert("RGB")))


def test_palette_with_alpha() -> None:
    palette = Image.new("P", (16, 16), 0)
    palette.putpalette([10, 20, 30, 200, 100, 0])
    palette.paste(1, (8, 0, 16, 16))
    decoded = decode(encoded(palette, transparency=bytes([255, 0])), "icon.png")
    assert decoded.notes == ("transparent areas are shown on white",)
    assert np.asarray(decoded.image)[0, 0].tolist() == [10, 20, 30]
    assert np.asarray(decoded.image)[0, 15].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_other_modes_become_rgb_without_a_note(mode: str) -> None:
    source = PICTURE.convert(mode)
    decoded = decode(encoded(source), "a")
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(source.convert("RGB")))


# What each EXIF orientation asks for, in numpy's words: stored pixels → upright pixels.
UPRIGHT = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation(orientation: int, kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(PICTURE, kind, exif=exif, lossless=True), "turned")
    assert decoded.notes == (() if orientation == 1 else ("turned upright as its EXIF data says",))
    np.testing.assert_array_equal(np.asarray(decoded.image), UPRIGHT[orientation](PIXELS))


def test_exif_orientation_of_a_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode(encoded(PICTURE, "JPEG", exif=exif), "phone.jpg")
    assert decoded.image.size == (16, 24)


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0", b"Exif\0\0rubbish"])
def test_broken_exif_is_ignored(exif: bytes) -> None:
    assert decode(encoded(PICTURE, "JPEG", exif=exif), "a").image.size == (24, 16)


def test_several_notes_at_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    frames = [Image.new("RGBA", (16, 16), (255, 0, 0, alpha)) for alpha in (0, 255)]
    decoded = decode(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], exif=exif), "a")
    assert decoded.notes == (
        "animated: its first frame is used",
        "turned upright as its EXIF data says",
        "transparent areas are shown on white",
    )


@pytest.mark.parametrize(("size", "noted"), [((400, 100), False), ((401, 100), True), ((8, 100_000), True)])
def test_extreme_aspect_ratio_is_noted(size: tuple[int, int], noted: bool) -> None:
    notes = decode(encoded(Image.new("L", size)), "strip.png").notes
    text = f"very elongated ({size[0]} × {size[1]} pixels): only its middle is used"
    assert notes == ((text,) if noted else ())


def test_read(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"  # a PNG under another name
    path.write_bytes(encoded(PICTURE))
    np.testing.assert_array_equal(np.asarray(read(path).image), PIXELS)
    np.testing.assert_array_equal(np.asarray(read(str(path)).image), PIXELS)


def test_read_missing(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        read(tmp_path / "none.png")
    assert one_sentence(error) == f"{tmp_path}/none.png does not exist; check the path."


def test_read_folder(tmp_path: Path) -> None:
    with pytest.raises(ImageError) as error:
        read(tmp_path)
    assert one_sentence(error) == f"{tmp_path} is a folder; name a picture in it."


def test_read_unreadable(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    (tmp_path / "file").write_bytes(b"x")
    for path in (loop, tmp_path / "file" / "in.png", tmp_path / ("n" * 300)):
        with pytest.raises(ImageError) as error:
            read(path)
        assert "can't be read (" in one_sentence(error)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read every file")
def test_read_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(PICTURE))
    path.chmod(0)
    with pytest.raises(ImageError) as error:
        read(path)
    assert "can't be read (Permission denied)" in one_sentence(error)


def test_read_a_pipe_does_not_wait(tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    with pytest.raises(ImageError) as error:
        read(path)
    assert "is not a regular file" in one_sentence(error)


def test_read_a_path_with_a_nul_character() -> None:
    with pytest.raises(ImageError) as error:
        read("a\0b.png")
    assert one_sentence(error) == "'a\\x00b.png' is not a path; check it."


def test_read_too_large_a_file(tmp_path: Path) -> None:
    path = tmp_path / "large.bmp"
    with path.open("wb") as file:
        file.truncate(module.MAX_BYTES + 2**20)  # sparse: takes no room
    tracemalloc.start()
    try:
        with pytest.raises(ImageError) as error:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20  # refused before it was read
    finally:
        tracemalloc.stop()
    assert one_sentence(error) == f"{path} has 65 MiB; at most 64 are read, so make it smaller."
