"""Colours are shown as the profile in the file means them, in sRGB."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from explorer.images.decode import decode_image
from tests.images.pictures import PICTURE, PIXELS, encoded
from tests.images.profiles import DISPLAY_P3, SRGB, grey_profile, profile

P3 = profile("Display P3", DISPLAY_P3)
NOTE = "colours were converted from Display P3 to sRGB"
IGNORED = "its colour profile can't be used and was ignored"


def linear(encoded_values: np.ndarray) -> np.ndarray:
    low = encoded_values / 12.92
    return np.where(encoded_values <= 0.04045, low, ((encoded_values + 0.055) / 1.055) ** 2.4)


def from_p3(pixels: np.ndarray) -> np.ndarray:
    """8-bit sRGB by the definition, clipped to the colours that sRGB has."""
    light = linear(pixels / 255) @ DISPLAY_P3.T @ np.linalg.inv(SRGB).T
    light = light.clip(0, 1)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.rint(255 * srgb)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 1),
        ("TIFF", {}, 1),
        ("WEBP", {"lossless": True}, 1),
        ("JPEG", {"quality": 100, "subsampling": 0}, 6),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 9),
        ("HEIF", {"quality": -1, "chroma": 444}, 6),
    ],
)
def test_display_p3_becomes_srgb_and_is_said(kind, options, tolerance):
    data = encoded(PICTURE, kind, icc_profile=P3, **options)
    decoded = decode_image(data, "phone")
    assert decoded.notes == (NOTE,)
    expected = from_p3(PIXELS)
    assert np.abs(expected - PIXELS).max() > 15
    np.testing.assert_allclose(np.asarray(decoded.image), expected, atol=tolerance)


@pytest.mark.parametrize(
    "srgb",
    [
        profile("sRGB of somebody", SRGB),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ],
)
def test_srgb_keeps_every_pixel(srgb):
    decoded = decode_image(encoded(PICTURE, icc_profile=srgb), "a")
    assert decoded.notes == ()
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


def test_alpha_is_left_alone():
    rgba = Image.new("RGBA", (16, 300), (200, 30, 60, 255))
    rgba.paste((200, 30, 60, 0), (0, 0, 8, 300))
    decoded = decode_image(encoded(rgba, icc_profile=P3), "a")
    assert decoded.notes[0] == NOTE
    assert decoded.notes[1] == "transparent areas are shown on white"
    right = from_p3(np.array([200, 30, 60]))
    pixels = np.asarray(decoded.image).astype(int)
    assert (pixels[:, :8] == 255).all()
    assert np.abs(pixels[:, 8:] - right).max() <= 1


@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_has_profiles_too(mode):
    values = np.arange(256, dtype=np.uint16).reshape(16, 16)
    grey = (
        Image.fromarray(values * 257)
        if mode == "I;16"
        else Image.fromarray(values.astype(np.uint8)).convert(mode)
    )
    decoded = decode_image(encoded(grey, icc_profile=grey_profile(1.8)), "a")
    assert decoded.notes[-1] == "colours were converted from Grey to sRGB"
    light = (values / 255) ** 1.8
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(np.asarray(decoded.image)[..., 0], 255 * expected, atol=1.5)


def test_grey_with_a_profile_of_colours_stays_grey():
    grey = PICTURE.convert("L")
    pixels = np.asarray(decode_image(encoded(grey, icc_profile=P3), "a").image).astype(int)
    assert np.abs(pixels - np.asarray(grey)[..., None]).max() <= 1


@pytest.mark.parametrize(
    "broken",
    [b"none", P3[:200], P3.replace(b"RGB ", b"CMYK"), grey_profile(1.8), bytes(5 * 2**20)],
    ids=["no profile", "cut", "of other colours", "of grey", "huge"],
)
def test_a_profile_that_cannot_be_used_is_ignored_and_said(broken):
    decoded = decode_image(encoded(PICTURE, "TIFF", icc_profile=broken), "a")
    assert decoded.notes == (IGNORED,)
    np.testing.assert_array_equal(np.asarray(decoded.image), PIXELS)


def test_the_name_of_a_profile_is_one_short_line():
    data = encoded(PICTURE, icc_profile=profile("a\n" * 300, DISPLAY_P3))
    (note,) = decode_image(data, "a").notes
    assert "\n" not in note
    assert len(note) < 200
