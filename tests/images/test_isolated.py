"""A picture is the same whether this process decodes it or one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import ExifTags, Image

from explorer.images import isolated
from explorer.images.decode import ImageError, decode_image
from explorer.images.isolated import decode_isolated, read_isolated
from explorer.sandbox import Message
from tests.images.pictures import PICTURE, bomb, encoded, png
from tests.images.profiles import DISPLAY_P3, profile
from tests.imports import ROOT

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
    "TIFF": encoded(PICTURE, "TIFF", compression="tiff_lzw"),
    "AVIF": encoded(PICTURE, "AVIF", exif=EXIF),
    "HEIC": encoded(PICTURE, "HEIF"),
    "Display P3": encoded(PICTURE, icc_profile=profile("Display P3", DISPLAY_P3)),
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


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="Windows limits no processes")
@pytest.mark.parametrize("kind", GOOD)
def test_a_user_who_is_not_root_may_start_no_thread_there(tmp_path, kind):
    """The superuser is not held to the limit of processes."""
    path = tmp_path / "picture"
    path.write_bytes(GOOD[kind])
    program = f"""
        import os, resource
        from pathlib import Path
        import pillow_heif
        from PIL import Image
        from explorer.images.isolated import handle
        from explorer.sandbox import Message
        from explorer.sandbox.limits import confine
        data = Path({str(path)!r}).read_bytes()
        Image.init()
        if os.getuid() == 0:
            os.setuid(65534)  # only now: that user may read no file of ours
        confine(threads={kind == "HEIC"})
        print(handle(Message({{"name": "a"}}, data)).values["width"])
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) == decode_image(GOOD[kind], kind).image.width


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
