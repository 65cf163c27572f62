"""Every colour mode, depth, transparency and orientation gives the picture that a person sees."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image

from explorer.images.decode import decode_image
from tests.images.pictures import PICTURE, PIXELS, array, chunk, encoded, png


def test_cmyk() -> None:
    red = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    decoded = decode_image(encoded(red, "JPEG", quality=100), "print.jpg")
    assert decoded.notes == ("converted from CMYK",)
    np.testing.assert_allclose(
        np.asarray(decoded.image), np.broadcast_to([255, 0, 0], (16, 16, 3)), atol=2
    )


def test_16_bit_grey_is_scaled_not_clipped() -> None:
    levels = np.arange(256, dtype=np.uint16).reshape(16, 16) * 257
    decoded = decode_image(encoded(Image.fromarray(levels)), "depth.png")
    assert decoded.notes == ("16-bit values were scaled to 8 bits",)
    expected = np.arange(256).reshape(16, 16)
    np.testing.assert_array_equal(np.asarray(decoded.image), np.stack([expected] * 3, axis=-1))


def test_16_bit_grey_rounds_to_the_nearest_level() -> None:
    values = np.full((8, 8), 128, dtype=np.uint16)  # 128 / 257 < 0.5
    values[:, 4:] = 129
    assert array(encoded(Image.fromarray(values)))[0, :, 0].tolist() == [0] * 4 + [1] * 4


def test_16_bit_grey_with_a_transparent_colour() -> None:
    values = np.full((8, 8), 257 * 10, dtype=">u2")
    values[:, 4:] = 257 * 20
    data = png(8, 8, 16, 0, values.tobytes(), chunk(b"tRNS", struct.pack(">H", 257 * 20)))
    decoded = decode_image(data, "a")
    assert decoded.notes == (
        "16-bit values were scaled to 8 bits",
        "transparent areas are shown on white",
    )
    assert np.asarray(decoded.image)[0, :, 0].tolist() == [10] * 4 + [255] * 4


def test_16_bit_colour() -> None:
    values = (PIXELS.astype(">u2") * 257).astype(">u2")
    decoded = decode_image(png(24, 16, 16, 2, values.tobytes()), "raw.png")
    assert decoded.notes == ("16-bit values were scaled to 8 bits",)
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


def test_rgba_is_shown_on_white() -> None:
    rgba = Image.new("RGBA", (16, 16), (100, 0, 200, 255))
    rgba.paste((100, 0, 200, 0), (8, 0, 16, 8))
    rgba.paste((100, 0, 200, 51), (8, 8, 16, 16))  # alpha 1/5
    decoded = decode_image(encoded(rgba), "logo.png")
    assert decoded.notes == ("transparent areas are shown on white",)
    pixels = np.asarray(decoded.image)
    assert pixels[0, 0].tolist() == [100, 0, 200]
    assert pixels[0, 15].tolist() == [255, 255, 255]
    assert pixels[15, 15].tolist() == [224, 204, 244]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_an_opaque_alpha_channel_changes_nothing_and_is_not_mentioned(mode: str) -> None:
    decoded = decode_image(encoded(PICTURE.convert(mode)), "a")
    assert decoded.notes == ()
    np.testing.assert_array_equal(
        np.asarray(decoded.image), np.asarray(PICTURE.convert(mode).convert("RGB"))
    )


def test_palette_with_alpha() -> None:
    palette = Image.new("P", (16, 16), 0)
    palette.putpalette([10, 20, 30, 200, 100, 0])
    palette.paste(1, (8, 0, 16, 16))
    decoded = decode_image(encoded(palette, transparency=bytes([255, 0])), "icon.png")
    assert decoded.notes == ("transparent areas are shown on white",)
    assert np.asarray(decoded.image)[0, 0].tolist() == [10, 20, 30]
    assert np.asarray(decoded.image)[0, 15].tolist() == [255, 255, 255]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_other_modes_become_rgb_without_a_note(mode: str) -> None:
    source = PICTURE.convert(mode)
    decoded = decode_image(encoded(source), "a")
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(source.convert("RGB")))


# The function from stored to upright pixels for each EXIF orientation.
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
    decoded = decode_image(encoded(PICTURE, kind, exif=exif, lossless=True), "turned")
    assert decoded.notes == (() if orientation == 1 else ("rotated upright (EXIF)",))
    np.testing.assert_array_equal(np.asarray(decoded.image), UPRIGHT[orientation](PIXELS))


def test_exif_orientation_of_a_jpeg() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_image(encoded(PICTURE, "JPEG", exif=exif), "phone.jpg")
    assert decoded.image.size == (16, 24)


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0", b"Exif\0\0rubbish"]
)
def test_broken_exif_is_ignored(exif: bytes) -> None:
    assert decode_image(encoded(PICTURE, "JPEG", exif=exif), "a").image.size == (24, 16)


def test_several_notes_at_once() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    frames = [Image.new("RGBA", (16, 16), (255, 0, 0, alpha)) for alpha in (0, 255)]
    decoded = decode_image(
        encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], exif=exif), "a"
    )
    assert decoded.notes == (
        "animated: its first frame is used",
        "rotated upright (EXIF)",
        "transparent areas are shown on white",
    )


@pytest.mark.parametrize(
    ("size", "noted"), [((400, 100), False), ((401, 100), True), ((8, 100_000), True)]
)
def test_extreme_aspect_ratio_is_noted(size: tuple[int, int], noted: bool) -> None:
    notes = decode_image(encoded(Image.new("L", size)), "strip.png").notes
    text = f"very elongated ({size[0]} × {size[1]} pixels): only its middle is used"
    assert notes == ((text,) if noted else ())
