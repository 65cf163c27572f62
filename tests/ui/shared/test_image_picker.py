"""Uploads: a good one is attacked; a bad one gives one sentence and changes nothing else."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.ui.components.markdown import plain
from tests.images.pictures import encoded, noise
from tests.images.profiles import DISPLAY_P3, profile
from tests.ui.app import ATTACK, choose, component, open_page, pixels, shown, wait_until_idle


def gradient(size: int = 48) -> Image.Image:
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    return Image.fromarray(
        np.stack(
            [
                np.tile(ramp, (size, 1)),
                np.tile(ramp[:, None], (1, size)),
                np.full((size, size), 90, np.uint8),
            ],
            2,
        )
    )


def bomb() -> bytes:
    """A PNG whose header claims 20 000 × 20 000 pixels."""
    header = struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + chunk
        + struct.pack(">I", zlib.crc32(chunk))
        + encoded(gradient())[33:]
    )


BAD = {
    "not an image": (b"MZ\x90\x00 this is a program", "fake.png", "not a picture"),
    "truncated": (encoded(noise(48, 48))[:2000], "half.png", "damaged"),
    "1 × 1": (encoded(gradient(1)), "dot.png", "at least 8"),
    "bomb": (bomb(), "huge.png", "25 million"),
    "empty": (b"", "empty.png", "empty"),
    "Photoshop": (b"8BPS\0\1" + bytes(99), "layers.psd", "is a Photoshop document; export it"),
}


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    (widget,) = at.sidebar.file_uploader
    widget.set_value((name, data, "image/png"))
    return wait_until_idle(at.run())


@pytest.fixture
def page() -> AppTest:
    at = open_page(ATTACK, model="cifar10-standard", linf="8")
    return choose(at, "button_group", "source", "upload")


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_upload_is_one_sentence_and_the_page_still_works(page: AppTest, kind: str) -> None:
    data, name, reason = BAD[kind]
    before = pixels(page, 0)
    upload(page, name, data)
    (error,) = page.error
    assert reason in error.value
    assert plain(name) in error.value
    np.testing.assert_array_equal(pixels(page, 0), before)
    choose(page, "slider", "linf", 2.0)
    assert component(page, "triptych")["operators"][0] == "+ 2/255 ×"


def test_a_bad_upload_after_a_good_one_keeps_the_good_one(page: AppTest) -> None:
    upload(page, "ramp.png", encoded(gradient()))
    before = pixels(page, 0)
    upload(page, "fake.png", b"no picture at all")
    assert len(page.error) == 1
    np.testing.assert_array_equal(pixels(page, 0), before)


def warning(at: AppTest) -> str:
    (element,) = at.warning
    return shown(element.value)


def test_a_bad_upload_says_above_the_result_which_picture_that_is_of(page: AppTest) -> None:
    upload(page, "ramp.png", encoded(gradient()))
    assert not page.warning
    upload(page, "fake.png", b"no picture at all")
    assert not page.sidebar.warning
    (error,) = page.sidebar.error
    assert shown(error.value).startswith("fake.png is not a picture")
    # The page says it too: on a phone the sidebar is closed.
    assert warning(page) == f"{shown(error.value)} The page still shows “ramp.png”."
    upload(page, "other.png", encoded(gradient(40)))
    assert not page.warning


def test_until_a_picture_is_chosen_the_page_names_the_one_it_shows(page: AppTest) -> None:
    assert warning(page) == (
        "Choose a picture of your own under “Picture” in the sidebar. Until then the page shows "
        "“cat”."
    )
    choose(page, "button_group", "source", "gallery")
    assert not page.warning


@pytest.mark.parametrize("source", ["upload", "camera"])
def test_a_reload_says_that_the_picture_has_to_be_chosen_again(source: str) -> None:
    """A reload is a new session with the same address."""
    at = open_page(ATTACK, model="cifar10-standard", source=source, linf="2", steps="3")
    assert "choose it once more" in warning(at).lower()
    assert "Until then the page shows “cat”." in warning(at)
    assert at.sidebar.slider(key="linf").value == 2
    assert at.query_params["source"] == source
    choose(at, "slider", "linf", 3.0)
    assert "choose it once more" in warning(at).lower()
    if source == "upload":
        upload(at, "ramp.png", encoded(gradient()))
        assert not at.warning


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("compare", {"compare_source": "upload", "compare_steps": "2"}),
        ("features", {"features_source": "upload"}),
        ("datasets", {"origin": "upload", "match_steps": "10", "attack_steps": "2"}),
        ("lab", {"lab_section": "Patch", "lab_patch_source": "upload"}),
    ],
)
def test_each_page_says_what_a_reload_forgot_and_which_file_is_bad(
    page: str, address: dict[str, str]
) -> None:
    at = open_page(f"../pages/{page}.py", **address)
    assert any("forgotten when the page is loaded again" in each.value for each in at.warning)
    upload(at, "fake.png", b"no picture at all")
    notices = [shown(each.value) for each in at.warning if "The page still shows" in each.value]
    assert len(notices) == 1
    assert notices[0].startswith("fake.png is not a picture that can be read here; use ")


def test_a_field_names_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_PICTURE_MB", "7")
    page = open_page(ATTACK, model="cifar10-standard", source="upload")
    texts = [caption.value for caption in page.sidebar.caption]
    assert any("up to 7 MB" in text and "25 million" in text for text in texts)


def test_a_good_upload_is_attacked(page: AppTest) -> None:
    before = pixels(page, 0)
    upload(page, "ramp.png", encoded(gradient(32)))
    np.testing.assert_array_equal(pixels(page, 0), np.asarray(gradient(32)))
    assert np.abs(pixels(page, 2).astype(int) - pixels(page, 0)).max() > 0
    assert not np.array_equal(pixels(page, 0), before)
    assert any("can't be part of a link" in caption.value for caption in page.caption)


def test_a_field_takes_every_ending_and_names_the_formats(page: AppTest) -> None:
    """A tooltip of the field would be all that a file of another ending got."""
    (widget,) = page.sidebar.file_uploader
    assert not widget.proto.type
    assert any("HEIC" in caption.value for caption in page.caption)


def test_a_photograph_of_an_iphone_is_said_to_be_converted(page: AppTest) -> None:
    phone = encoded(gradient(32), "HEIF", icc_profile=profile("Display P3", DISPLAY_P3))
    upload(page, "IMG_0001.HEIC", phone)
    assert not page.error
    assert any("converted from Display P3 to sRGB" in caption.value for caption in page.caption)


def take_photograph(at: AppTest, data: bytes) -> AppTest:
    (widget,) = at.sidebar.camera_input
    widget.set_value(("camera_input.jpg", data, "image/jpeg"))
    return wait_until_idle(at.run())


def test_what_the_camera_sees_is_attacked() -> None:
    at = open_page(ATTACK, model="cifar10-standard", linf="8")
    assert not at.sidebar.camera_input  # the browser asks for permission only where it is wanted
    before = pixels(at, 0)
    choose(at, "button_group", "source", "camera")
    np.testing.assert_array_equal(pixels(at, 0), before)
    take_photograph(at, encoded(gradient(32), "JPEG"))
    seen = np.asarray(Image.open(io.BytesIO(encoded(gradient(32), "JPEG"))))
    np.testing.assert_array_equal(pixels(at, 0), seen)
    assert 0 < np.abs(pixels(at, 2).astype(int) - seen).max() <= 8
    assert any("can't be part of a link" in caption.value for caption in at.caption)


def test_a_damaged_photograph_is_one_sentence_and_keeps_the_one_before() -> None:
    at = open_page(ATTACK, model="cifar10-standard", linf="8")
    choose(at, "button_group", "source", "camera")
    take_photograph(at, encoded(gradient(32), "JPEG"))
    before = pixels(at, 0)
    take_photograph(at, encoded(noise(48, 48), "JPEG")[:500])
    (error,) = at.error
    assert "damaged" in error.value
    np.testing.assert_array_equal(pixels(at, 0), before)


def test_an_upload_and_a_photograph_are_kept_apart(page: AppTest) -> None:
    upload(page, "ramp.png", encoded(gradient(32)))
    choose(page, "button_group", "source", "camera")
    take_photograph(page, encoded(noise(32, 32), "JPEG"))
    choose(page, "button_group", "source", "upload")
    np.testing.assert_array_equal(pixels(page, 0), np.asarray(gradient(32)))


@pytest.mark.parametrize(
    ("image", "kind", "note"),
    [
        (gradient().convert("CMYK"), "JPEG", "CMYK"),
        (Image.merge("RGBA", (*gradient().split(), Image.new("L", (48, 48), 100))), "PNG", "white"),
        (gradient().convert("P"), "GIF", None),
    ],
)
def test_unusual_formats_are_read_and_the_changes_noted(
    page: AppTest, image: Image.Image, kind: str, note: str | None
) -> None:
    upload(page, "odd.png", encoded(image, kind))
    assert not page.error
    if note:
        assert any(note in caption.value for caption in page.sidebar.caption)


def test_the_name_of_a_file_is_never_markup(page: AppTest) -> None:
    name = "![x](https://example.com/x.png) <b>bold</b>.png"
    upload(page, name, encoded(gradient()))
    assert not page.error
    upload(page, name, b"no picture at all")
    (error,) = page.error
    texts = [element.value for element in (*page.markdown, *page.caption, error)]
    assert not any(name in text for text in texts)
    assert plain(name) in error.value


def test_a_picture_that_is_too_large_is_refused_on_the_server_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EXPLORER_PICTURE_MB", "1")
    page = open_page(ATTACK, model="cifar10-standard", linf="8")
    before = pixels(choose(page, "button_group", "source", "upload"), 0)
    upload(page, "large.png", encoded(noise(640, 640)))
    (error,) = page.error
    assert error.value.startswith("The picture may take up to 1 MB; large")
    np.testing.assert_array_equal(pixels(page, 0), before)
