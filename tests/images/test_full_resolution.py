"""The photograph whose window is the adversarial image, and its distances."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from explorer.images.full_resolution import at_full_resolution, resize_matrix
from explorer.images.geometry import CENTRE, Crop, crop_window, resize_and_crop, to_uint8


def photo(width: int, height: int) -> Image.Image:
    shape = (height // 4 + 1, width // 4 + 1, 3)
    values = np.random.default_rng(width * height).integers(60, 196, shape, dtype=np.uint8)
    return Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)


def classifier_input(picture, resize=None, crop=CENTRE, interpolation="bilinear"):
    """The 64 × 64 input of a classifier as float32 [64, 64, 3], rounded to 8 bits."""
    pixels = to_uint8(resize_and_crop(picture, (64, 64), resize, crop, interpolation))
    return pixels.astype(np.float32) / 255


@pytest.mark.parametrize(
    ("length", "resized"), [(500, 256), (333, 341), (100, 256), (64, 64), (1023, 37)]
)
def test_the_interpolation_is_pillows(length, resized):
    line = np.random.default_rng(0).random((3, length)).astype(np.float32)
    for name in ("bilinear", "bicubic"):
        kernel = Image.Resampling[name.upper()]
        expected = np.asarray(Image.fromarray(line).resize((resized, 3), kernel))
        values = line @ resize_matrix(length, resized, name).T
        np.testing.assert_allclose(values, expected, atol=3e-6)


@pytest.mark.parametrize("crop", [CENTRE, Crop(0.1, 0.8), Crop(1.0, 0.0, 2.0)])
@pytest.mark.parametrize("size", [(400, 300), (301, 520)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_window_of_the_changed_photograph_is_the_adversarial_image(size, crop, interpolation):
    picture = photo(*size)
    window = crop_window(picture.size, (64, 64), 72, crop)
    original = classifier_input(picture, 72, crop, interpolation)
    signs = np.random.default_rng(1).choice([-1, 1], original.shape)
    adversarial = np.clip(original + 4 / 255 * signs, 0, 1).astype(np.float32)
    result = at_full_resolution(picture, window, adversarial, interpolation)
    difference = np.abs(classifier_input(result.photo, 72, crop, interpolation) - adversarial)
    assert difference.max() <= 1.6 / 255  # the values are rounded twice
    assert difference.mean() < 0.5 / 255


def test_pixels_outside_the_window_do_not_change():
    picture = photo(400, 300)
    window = crop_window(picture.size, (64, 64), 72, Crop(0, 0, 3))
    result = at_full_resolution(picture, window, np.ones((64, 64, 3), np.float32))
    before, after = np.asarray(picture), np.asarray(result.photo)
    _, _, width, height = window.box
    assert (before[int(height) + 3 :] == after[int(height) + 3 :]).all()
    assert (before[:, int(width) + 3 :] == after[:, int(width) + 3 :]).all()
    assert after[: int(height) - 2, : int(width) - 2].min() >= 250


def test_no_perturbation_changes_nothing():
    picture = photo(200, 150)
    window = crop_window(picture.size, (64, 64), 72)
    result = at_full_resolution(picture, window, unrounded_input(picture, window))
    assert result.linf == 0
    assert result.l2 == 0


def unrounded_input(picture, window):
    """The classifier's input without its roundings to 8 bits."""
    across, down = (
        resize_matrix(window.region[2 + axis], window.resized_size[axis])[
            window.corner[axis] : window.corner[axis] + window.size[axis]
        ]
        for axis in (0, 1)
    )
    values = np.asarray(picture).astype(np.float64) / 255
    channels = [down @ values[..., c] @ across.T for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def test_a_small_photograph_takes_a_smooth_change():
    picture = photo(40, 30)
    adversarial = classifier_input(picture) + 0.1
    window = crop_window(picture.size, (64, 64))
    result = at_full_resolution(picture, window, np.clip(adversarial, 0, 1))
    np.testing.assert_allclose(classifier_input(result.photo), adversarial, atol=2 / 255)


def test_distances_are_those_of_the_photograph():
    picture = photo(300, 200)
    window = crop_window(picture.size, (64, 64), 72)
    result = at_full_resolution(picture, window, classifier_input(picture, 72) + 0.05)
    difference = (np.asarray(result.photo).astype(float) - np.asarray(picture)) / 255
    assert result.linf == pytest.approx(np.abs(difference).max(), abs=1e-6)
    assert result.l2 == pytest.approx(np.sqrt((difference**2).sum()), rel=1e-4)
