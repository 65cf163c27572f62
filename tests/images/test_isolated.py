"""A picture is the same whether this process decodes it or one of its own."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ExifTags, Image

from explorer.images import isolated
from explorer.images.decode import ImageError, decode_image
from explorer.images.isolated import decode_isolated, read_isolated
from explorer.sandbox import Message
from tests.images.pictures import PICTURE, bomb, encoded, png

EXIF = Image.Exif()
EXIF[ExifTags.Base.Orientation] = 6
FRAMES = [Image.new("RGB", (16, 9), colour) for colour in ("red", "lime")]
GOOD = {
    "PNG": encoded(PICTURE),
    "JPEG": encoded(PICTURE, "JPEG", exif=EXIF),
    "progressive": encoded(PICTURE, "JPEG", progressive=True),
    "CMYK": encoded(PICTURE.convert("CMYK"), "JPEG"),
    "WEBP": encoded(PICTURE.convert("RGBA"), "WEBP"),
    "animated": encoded(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:]),
    "BMP": encoded(PICTURE, "BMP"),
    "transparent": encoded(Image.new("RGBA", (30, 9), (1, 2, 3, 77))),
    "16 bits": png(8, 8, 16, 0, bytes(range(128))),
    "elongated": encoded(Image.new("L", (9, 400), 5)),
}


@pytest.mark.parametrize("kind", GOOD)
def test_pixels_and_notes_are_the_same(kind):
    here, there = decode_image(GOOD[kind], kind), decode_isolated(GOOD[kind], kind)
    assert there.image.mode == "RGB"
    assert there.notes == here.notes
    np.testing.assert_array_equal(np.asarray(there.image), np.asarray(here.image))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "CMYK"])
def test_the_largest_picture_stays_within_the_limits(mode):
    image = Image.new(mode, (6000, 4000))
    data = encoded(image, "JPEG") if mode == "CMYK" else encoded(image, compress_level=1)
    assert decode_isolated(data, "large").image.size == (6000, 4000)


@pytest.mark.parametrize("data", [b"", b"text", encoded(PICTURE)[:60], bomb(50_000, 50_000)])
def test_sentences_are_the_same(data):
    name = "a\ud800\nb.png"
    with pytest.raises(ImageError) as here:
        decode_image(data, name)
    with pytest.raises(ImageError) as there:
        decode_isolated(data, name)
    assert str(there.value) == str(here.value)


def test_a_file_is_read_by_its_path(tmp_path):
    path = tmp_path / "a.png"
    with pytest.raises(ImageError, match="does not exist"):
        read_isolated(path)
    path.write_bytes(GOOD["PNG"])
    assert np.array_equal(np.asarray(read_isolated(path).image), np.asarray(PICTURE))


@pytest.mark.parametrize(
    "reply",
    [
        Message(),
        Message({"width": 8, "height": 8, "notes": []}, b"P6\n8 8\n255\n" + bytes(191)),
        Message({"width": 8, "height": 8, "notes": []}, b"P6\n8 9\n255\n" + bytes(192)),
        Message({"width": 8.0, "height": 8, "notes": []}, b"P6\n8 8\n255\n" + bytes(192)),
        Message({"width": 8, "height": 8, "notes": [{}]}, b"P6\n8 8\n255\n" + bytes(192)),
        Message({"width": 8, "height": 8, "notes": 3}, b"P6\n8 8\n255\n" + bytes(192)),
        Message({"width": 1, "height": 1, "notes": []}, b"P6\n1 1\n255\n" + bytes(3)),
    ],
)
def test_a_reply_that_is_no_picture_is_refused(monkeypatch, reply):
    """A file that took the process over could send anything."""

    class Pool:
        def ask(self, *_: object) -> Message:
            return reply

    monkeypatch.setattr(isolated, "_POOL", Pool())
    with pytest.raises(ImageError):
        decode_isolated(b"", "a.png")
