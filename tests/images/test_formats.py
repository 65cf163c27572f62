"""Photographs as phones and cameras store them; other files are named for what they are."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import ExifTags, Image

from explorer.images.decode import MAX_JPEG_PIXELS, ImageError, decode_image
from explorer.images.formats import EXTENSIONS, HEAD, is_picture
from tests.images.pictures import PICTURE, PIXELS, encoded, one_sentence

LARGE = (5800, 4400)  # more than MAX_PIXELS


def half_and_half(size: tuple[int, int]) -> Image.Image:
    """Black above, white below."""
    image = Image.new("L", size)
    image.paste(255, (0, size[1] // 2, *size))
    return image


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_upright(kind, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    upright = decode_image(encoded(PICTURE, exif=exif), "a").image  # a PNG keeps every pixel
    options = {"subsampling": "4:4:4"} if kind == "AVIF" else {"chroma": 444}
    data = encoded(PICTURE, kind, exif=exif.tobytes(), quality=100, **options)
    decoded = decode_image(data, "phone")
    np.testing.assert_allclose(np.asarray(decoded.image), np.asarray(upright), atol=6)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_transparent_photographs(kind):
    rgba = PICTURE.copy()
    rgba.putalpha(0)
    decoded = decode_image(encoded(rgba, kind), "a")
    assert "transparent areas are shown on white" in decoded.notes
    assert np.asarray(decoded.image).min() == 255


def test_several_pictures_in_a_heic():
    first, second = (Image.new("RGB", (16, 16), colour) for colour in ("red", "lime"))
    data = encoded(first, "HEIF", save_all=True, append_images=[second], primary_index=1)
    decoded = decode_image(data, "burst.heic")
    assert decoded.notes == ("several pictures in one file: the main one is used",)
    np.testing.assert_allclose(np.asarray(decoded.image)[0, 0], [0, 255, 0], atol=6)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff(compression):
    decoded = decode_image(encoded(PICTURE, "TIFF", compression=compression), "scan.tif")
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


def test_the_first_page_of_a_tiff():
    data = encoded(PICTURE, "TIFF", save_all=True, append_images=[Image.new("RGB", (30, 30))])
    decoded = decode_image(data, "scan.tif")
    assert decoded.notes == ("several pages: the first is used",)
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_is_turned_once(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    upright = decode_image(encoded(PICTURE, exif=exif), "a")
    decoded = decode_image(encoded(PICTURE, "TIFF", exif=exif), "scan.tif")
    assert decoded.notes == upright.notes
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(upright.image))


def test_16_bit_tiff():
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    decoded = decode_image(encoded(Image.fromarray(levels), "TIFF"), "scan.tif")
    assert decoded.notes == ("16-bit values were scaled to 8 bits",)
    np.testing.assert_array_equal(np.asarray(decoded.image)[..., 0].ravel(), np.arange(256))


def colour_tiff(values: np.ndarray, *more: tuple[int, int, int, int]) -> bytes:
    """A TIFF with 16 bits for each colour, which Pillow itself can't write."""
    height, width, _ = values.shape
    pixels = values.astype("<u2").tobytes()
    fields = [
        *more,
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 3, 154),  # the place of the three numbers of bits
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 160),  # the place of the pixels
        (277, 3, 1, 3),
        (278, 3, 1, height),
        (279, 4, 1, len(pixels)),
    ]
    entries = b"".join(struct.pack("<HHII", *field) for field in sorted(fields))
    header = struct.pack("<2sHIH", b"II", 42, 8, len(fields)) + entries + bytes(4)
    return header.ljust(154, b"\0") + struct.pack("<HHH", 16, 16, 16) + pixels


def test_16_bit_colour_tiff():
    decoded = decode_image(colour_tiff(PIXELS.astype(np.uint16) * 257), "scan.tif")
    assert decoded.notes == ("16-bit values were scaled to 8 bits",)
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


@pytest.mark.parametrize("tag", [(254, 4, 1, 1), (50706, 1, 4, 0x00000401)])
def test_a_raw_file_is_not_read_by_its_preview(tag):
    with pytest.raises(ImageError, match=r"raw\.dng is a camera's raw file; export it as a PNG"):
        decode_image(colour_tiff(PIXELS.astype(np.uint16), tag), "raw.dng")


def test_floating_point_tiff():
    levels = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    decoded = decode_image(encoded(Image.fromarray(levels), "TIFF"), "depth.tif")
    assert decoded.notes == ("floating point values from 0 to 1 were scaled to 8 bits",)
    np.testing.assert_array_equal(np.asarray(decoded.image)[..., 0].ravel(), np.arange(256))


@pytest.mark.parametrize(
    "values",
    [
        np.full((9, 9), 70_000, np.int32),
        np.full((9, 9), -1, np.int32),
        np.full((9, 9), 1.5, np.float32),
        np.full((9, 9), np.nan, np.float32),
    ],
)
def test_values_that_are_no_colours(values):
    with pytest.raises(ImageError) as error:
        decode_image(encoded(Image.fromarray(values), "TIFF"), "depth.tif")
    assert one_sentence(error) == (
        "depth.tif has values beyond those of a 16-bit picture; save it with 8 or 16 bits"
    )


@pytest.mark.parametrize("progressive", [False, True])
def test_a_large_jpeg_is_read_at_half_its_size_and_upright(progressive):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # turned to the right: what is below comes to the left
    data = encoded(half_and_half(LARGE), "JPEG", exif=exif, progressive=progressive)
    decoded = decode_image(data, "phone.jfif")
    assert decoded.image.size == (2200, 2900)
    assert decoded.notes == (
        "read at half its size: 2,900 of 5,800 pixels across",
        "rotated upright (EXIF)",
    )
    row = np.asarray(decoded.image)[1000, :, 0]
    assert row[:1000].min() > 250
    assert row[-1000:].max() < 5


def test_a_24_megapixel_photograph_is_whole():
    data = encoded(Image.new("L", (5712, 4284)), "JPEG")
    decoded = decode_image(data, "phone.jpg")
    assert (decoded.image.size, decoded.notes) == ((5712, 4284), ())


def test_the_largest_jpeg():
    size = (10_000, MAX_JPEG_PIXELS // 10_000)
    data = encoded(Image.new("L", size), "JPEG")
    assert decode_image(data, "a").image.size == (5000, 2500)
    longer = data.replace(struct.pack(">HH", 5000, 10_000), struct.pack(">HH", 5008, 10_000), 1)
    with pytest.raises(ImageError, match="10,000 × 5,008 pixels; at most 50 million are read"):
        decode_image(longer, "a")


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_other_formats_can_not_be_read_at_half_their_size(kind):
    data = encoded(Image.new("1", LARGE), kind)
    with pytest.raises(ImageError, match="at most 25 million are read, so make it smaller"):
        decode_image(data, "a")


OTHERS = {
    "a Photoshop document": b"8BPS\0\1" + bytes(20),
    "a PDF document": b"%PDF-1.7\n",
    "a JPEG XL picture": b"\xff\x0a\xfa\x1f",
    "a JPEG 2000 picture": encoded(PICTURE, "JPEG2000"),
    "a camera's raw file": b"\0\0\0\x18ftypcrx \0\0\0\1",
    "a video": b"\0\0\0\x14ftypqt  " + bytes(8),
    "a vector drawing": b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "a web page": b"\n<!DOCTYPE html><html></html>",
    "a ZIP archive": b"PK\x03\x04" + bytes(30),
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_another_file_is_named(kind):
    with pytest.raises(ImageError) as error:
        decode_image(OTHERS[kind], "file.jpg")
    assert one_sentence(error).startswith(f"file.jpg is {kind}")
    assert not is_picture(OTHERS[kind])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"])
def test_pictures_are_told_by_their_first_bytes(kind):
    assert is_picture(encoded(PICTURE, kind)[:HEAD])
    assert not is_picture(b"BMW is a make of cars, and this is a text")
    assert not is_picture(b"RIFF\x24\0\0\0WAVEfmt ")
    assert f".{kind.lower()}" in EXTENSIONS
