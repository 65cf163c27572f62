"""A change of the view carried back into the photograph: the interpolation is Pillow's, and the view becomes the adversarial one."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from explorer.images.full_resolution import at_full_resolution, resize_matrix
from explorer.images.geometry import Crop, crop_window, resize_and_crop, to_uint8


def photo(width: int, height: int, low: int = 60, high: int = 196) -> Image.Image:
    values = np.random.default_rng(width * height).integers(
        low, high, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8
    )
    return Image.fromarray(values).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("length", "resized"), [(500, 256), (333, 341), (100, 256), (64, 64), (1023, 37)]
)
def test_the_interpolation_is_pillows(length, resized):
    line = np.random.default_rng(0).random((3, length)).astype(np.float32)
    for name, kernel in (
        ("bilinear", Image.Resampling.BILINEAR),
        ("bicubic", Image.Resampling.BICUBIC),
    ):
        theirs = np.asarray(Image.fromarray(line).resize((resized, 3), kernel))
        np.testing.assert_allclose(line @ resize_matrix(length, resized, name).T, theirs, atol=3e-6)


@pytest.mark.parametrize("crop", [Crop(), Crop(0.1, 0.8), Crop(1.0, 0.0, 2.0)])
@pytest.mark.parametrize("size", [(400, 300), (301, 520)])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_view_of_the_changed_photograph_is_the_adversarial_image(size, crop, interpolation):
    picture = photo(*size)
    seen = crop_window(picture.size, (64, 64), 72, crop)
    view = (
        to_uint8(resize_and_crop(picture, (64, 64), 72, crop, interpolation)).astype(np.float32)
        / 255
    )
    signs = np.random.default_rng(1).choice([-1, 1], view.shape)
    wanted = np.clip(view + 4 / 255 * signs, 0, 1).astype(np.float32)
    pasted = at_full_resolution(picture, seen, wanted, interpolation)
    got = (
        to_uint8(resize_and_crop(pasted.photo, (64, 64), 72, crop, interpolation)).astype(
            np.float32
        )
        / 255
    )
    assert np.abs(got - wanted).max() <= 1.6 / 255  # the view is rounded twice on its way
    assert np.abs(got - wanted).mean() < 0.5 / 255


def test_what_is_not_seen_stays_as_it_was():
    picture = photo(400, 300)
    seen = crop_window(picture.size, (64, 64), 72, Crop(0, 0, 3))
    pasted = at_full_resolution(picture, seen, np.ones((64, 64, 3), np.float32))
    before, after = np.asarray(picture), np.asarray(pasted.photo)
    left, top, width, height = seen.box
    assert (before[int(top + height) + 3 :] == after[int(top + height) + 3 :]).all()
    assert (before[:, int(left + width) + 3 :] == after[:, int(left + width) + 3 :]).all()
    assert after[: int(height) - 2, : int(width) - 2].min() >= 250


def test_no_change_is_no_change():
    picture = photo(200, 150)
    seen = crop_window(picture.size, (64, 64), 72)
    pasted = at_full_resolution(picture, seen, fit_exactly(picture, seen))
    assert pasted.linf == 0
    assert pasted.l2 == 0


def fit_exactly(picture, seen):
    """The view without its roundings to 8 bits."""
    down = resize_matrix(seen.cut[3], seen.resized[1])[
        seen.corner[1] : seen.corner[1] + seen.size[1]
    ]
    across = resize_matrix(seen.cut[2], seen.resized[0])[
        seen.corner[0] : seen.corner[0] + seen.size[0]
    ]
    values = np.asarray(picture).astype(np.float64) / 255
    return np.stack([down @ values[..., c] @ across.T for c in range(3)], axis=-1).astype(
        np.float32
    )


def test_a_photograph_smaller_than_the_view_takes_the_nearest_change_it_can_hold():
    picture = photo(40, 30)
    seen = crop_window(picture.size, (64, 64))
    view = to_uint8(resize_and_crop(picture, (64, 64))).astype(np.float32) / 255
    pasted = at_full_resolution(picture, seen, np.clip(view + 0.1, 0, 1))
    got = to_uint8(resize_and_crop(pasted.photo, (64, 64))).astype(np.float32) / 255
    np.testing.assert_allclose(
        got, view + 0.1, atol=2 / 255
    )  # smooth: a small photograph can hold it


def test_distances_are_those_of_the_photograph():
    picture = photo(300, 200)
    view = to_uint8(resize_and_crop(picture, (64, 64), 72)).astype(np.float32) / 255
    pasted = at_full_resolution(picture, crop_window(picture.size, (64, 64), 72), view + 0.05)
    difference = (np.asarray(pasted.photo).astype(float) - np.asarray(picture)) / 255
    assert pasted.linf == pytest.approx(np.abs(difference).max(), abs=1e-6)
    assert pasted.l2 == pytest.approx(np.sqrt((difference**2).sum()), rel=1e-4)
