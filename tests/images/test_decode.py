"""Every kind of file is decoded, with a note if it was changed, or refused in one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from explorer.images.decode import MAX_SCANS, MAX_SIDE, MIN_SIDE, ImageError, decode_image
from tests.images.pictures import PICTURE, PIXELS, bomb, encoded, one_sentence

KINDS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF"]


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "TIFF"])
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    grey = Image.fromarray(PIXELS[..., 0])
    source = grey if kind == "GIF" else PICTURE
    decoded = decode_image(
        encoded(source, kind, **({"lossless": True} if kind == "WEBP" else {})), "a"
    )
    assert decoded.image.mode == "RGB"
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), np.asarray(source.convert("RGB")))


@pytest.mark.parametrize("kind", KINDS)
def test_extension_does_not_matter(kind: str) -> None:
    decoded = decode_image(encoded(PICTURE, kind), "picture.wrong")
    assert decoded.image.size == (24, 16)
    assert decoded.notes == ()


@pytest.mark.parametrize(
    "data",
    [
        b"MZ\x90\0" + bytes(500),
        b"hello, this is a text\n",
        b"BMW",
        b"\0",
    ],
)
def test_not_an_image(data: bytes) -> None:
    with pytest.raises(ImageError) as error:
        decode_image(data, "fake.png")
    assert one_sentence(error) == (
        "fake.png is not a picture that can be read here; use PNG, JPEG, WebP, HEIC, AVIF, TIFF, "
        "GIF or BMP"
    )


def test_empty() -> None:
    with pytest.raises(ImageError) as error:
        decode_image(b"", "nothing.png")
    assert one_sentence(error) == "nothing.png is empty (0 bytes); choose another file"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fraction", [0.3, 0.6, 0.9])
def test_truncated(kind: str, fraction: float) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(ImageError) as error:
        decode_image(data[: int(len(data) * fraction)], "half.img")
    assert one_sentence(error) == "half.img is cut short or damaged; save or download it again"


@pytest.mark.parametrize("kind", KINDS)
def test_broken_bytes_never_raise_anything_else(kind: str) -> None:
    generator = np.random.default_rng(1)
    intact = np.frombuffer(encoded(PICTURE, kind), dtype=np.uint8)
    refused = 0
    for _ in range(150):
        broken = intact.copy()
        broken[generator.integers(0, len(intact), 4)] = generator.integers(0, 256, 4)
        try:
            assert decode_image(broken.tobytes(), "a").image.mode == "RGB"
        except ImageError:
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_too_small(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError) as error:
        decode_image(encoded(Image.new("RGB", size)), "dot.png")
    width, height = size
    assert one_sentence(error) == (
        f"dot.png is {width} × {height} pixels; each side must be at least 8, "
        "so choose a larger picture"
    )


def test_smallest_allowed() -> None:
    assert decode_image(encoded(Image.new("RGB", (8, 8))), "a").image.size == (8, 8)


@pytest.mark.parametrize(
    "size", [(6000, 4168), (50_000, 600), (20_000, 20_000), (2**31 - 1, 2**31 - 1)]
)
def test_huge_is_refused_by_its_header(size: tuple[int, int]) -> None:
    # The file has no pixels: decoding any would give the message of a damaged file.
    with pytest.raises(ImageError, match="at most 25 million are read") as error:
        decode_image(bomb(*size), "bomb.png")
    assert "damaged" not in one_sentence(error)


def test_exactly_25_megapixels_pass() -> None:
    assert decode_image(encoded(Image.new("L", (6250, 4000))), "a").image.size == (6250, 4000)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_animated_uses_the_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    decoded = decode_image(data, "moving")
    assert decoded.notes == ("animated: its first frame is used",)
    np.testing.assert_allclose(np.asarray(decoded.image), np.asarray(frames[0]), atol=3)


def test_an_animation_cut_at_its_second_frame() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "lime")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    second = data.index(b",", data.index(b",") + 1)  # a comma begins a frame
    with pytest.raises(ImageError) as error:
        decode_image(data[: second + 10], "moving.gif")
    assert one_sentence(error) == "moving.gif is cut short or damaged; save or download it again"


def test_a_phone_picture_with_a_preview_is_not_called_animated() -> None:
    small = Image.new("RGB", (8, 8))
    decoded = decode_image(
        encoded(PICTURE, "MPO", save_all=True, append_images=[small]), "phone.jpg"
    )
    assert decoded.image.size == (24, 16)
    assert decoded.notes == ()


def test_a_picture_that_would_take_long_is_refused_before_it_is_read() -> None:
    thin = Image.new("L", (MIN_SIDE, MAX_SIDE + 1))
    with pytest.raises(ImageError, match="at most 100,000"):
        decode_image(encoded(thin, "PNG"), "thin.png")
    scans = encoded(PICTURE, "JPEG", progressive=True)
    start = scans.index(b"\xff\xda")
    end = scans.index(b"\xff", start + 2)
    many = scans[:start] + scans[start:end] * (MAX_SCANS + 1) + scans[end:]
    with pytest.raises(ImageError, match="scans"):
        decode_image(many, "many.jpg")
