"""The same bytes as torchvision's preprocessing, and rounding to 8 bits."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from explorer.errors import UserError
from explorer.images.geometry import (
    Crop,
    crop_window,
    min_zoom,
    resize_and_crop,
    round_8bit,
    to_png,
    to_uint8,
)
from tests.images.pictures import noise


@pytest.mark.parametrize(
    "size", [(500, 333), (333, 500), (640, 427), (231, 1000), (512, 512), (100, 61), (256, 300)]
)
@pytest.mark.parametrize(("side", "resize"), [(224, 256), (299, 342), (64, None), (32, None)])
def test_resize_and_crop_gives_the_bytes_of_torchvision(
    size: tuple[int, int], side: int, resize: int | None
) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    image = noise(*size)
    reference = transforms.Compose(
        [transforms.Resize(resize or side), transforms.CenterCrop(side), transforms.PILToTensor()]
    )(image)
    ours = resize_and_crop(image, (side, side), resize)
    assert ours.dtype == torch.float32
    assert torch.equal(ours, reference.float() / 255)


@pytest.mark.parametrize("size", [(3, 5), (9, 4)])
def test_a_crop_that_is_not_square(size: tuple[int, int]) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    image = noise(40, 30)
    reference = transforms.Compose(
        [transforms.Resize(max(size)), transforms.CenterCrop(size), transforms.PILToTensor()]
    )
    assert torch.equal(resize_and_crop(image, size), reference(image).float() / 255)


def test_a_picture_of_the_right_size_does_not_change() -> None:
    image = noise(32, 32)
    assert np.array_equal(to_uint8(resize_and_crop(image, (32, 32))), np.asarray(image))


@pytest.mark.parametrize(("width", "height"), [(1_000_000, 8), (8, 1_000_000)])
def test_the_middle_of_a_long_strip_is_used(width: int, height: int) -> None:
    strip = Image.new("RGB", (width, height), "black")
    middle = (
        (width // 2 - 8, 0, width // 2 + 8, 8)
        if width > height
        else (0, height // 2 - 8, 8, height // 2 + 8)
    )
    strip.paste((255, 0, 51), middle)
    expected = torch.tensor([1.0, 0.0, 0.2]).view(3, 1, 1).expand(3, 224, 224)
    assert torch.equal(resize_and_crop(strip, (224, 224), 256), expected)


@pytest.mark.parametrize("picture", [np.zeros((8, 8, 3), np.uint8), torch.zeros(3, 8, 8), "a.png"])
def test_an_error_says_that_a_picture_is_a_pil_image(picture: object) -> None:
    with pytest.raises(UserError, match="give a PIL image, such as"):
        resize_and_crop(picture, (4, 4))


def test_resize_below_the_crop_is_an_error() -> None:
    with pytest.raises(ValueError, match="resize 200 is less than the crop 224 × 224"):
        resize_and_crop(noise(300, 300), (224, 224), 200)


def test_every_level_survives_the_round_trip() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    pixels = np.stack([levels, levels.T, levels[::-1]], axis=-1)
    tensor = resize_and_crop(Image.fromarray(pixels), (16, 16))
    assert np.array_equal(to_uint8(tensor), pixels)
    assert torch.equal(round_8bit(tensor), tensor)
    saved = Image.open(io.BytesIO(to_png(tensor)))
    assert (saved.format, saved.mode) == ("PNG", "RGB")
    assert np.array_equal(np.asarray(saved), pixels)


def test_8_bits_are_rounded_not_truncated_and_clamped() -> None:
    values = torch.tensor([0.9 / 255, 1.4 / 255, 1.6 / 255, 254.7 / 255, -0.1, 1.1])
    image = values.view(1, 1, 6).expand(3, 1, 6)
    assert to_uint8(image)[0, :, 0].tolist() == [1, 1, 2, 255, 0, 255]
    assert torch.equal(round_8bit(values) * 255, torch.tensor([1.0, 1.0, 2.0, 255.0, 0.0, 255.0]))


def test_round_8bit_is_what_the_png_holds() -> None:
    tensor = torch.rand(3, 20, 30, generator=torch.Generator().manual_seed(0))
    before = tensor.clone()
    pixels = (
        torch.from_numpy(np.array(Image.open(io.BytesIO(to_png(tensor))))).permute(2, 0, 1).float()
        / 255
    )
    assert torch.equal(round_8bit(tensor), pixels)
    assert (round_8bit(tensor) - tensor).abs().max() <= 0.5 / 255 + 1e-7
    assert torch.equal(tensor, before)


def test_channels_stay_in_order() -> None:
    red = torch.zeros(3, 8, 8)
    red[0] = 1
    assert Image.open(io.BytesIO(to_png(red))).getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    ("crop", "corner"), [(Crop(0, 0), (0, 0)), (Crop(1, 1), (117, 32)), (Crop(0.5, 0.5), (58, 16))]
)
def test_a_moved_crop_is_cut_from_the_same_resized_photograph(crop, corner):
    image = noise(400, 300)
    resized = image.resize((341, 256), Image.Resampling.BILINEAR)
    left, top = corner  # 58.5 is rounded to the even 58, as torchvision does
    expected = np.asarray(resized.crop((left, top, left + 224, top + 224)))
    pixels = to_uint8(resize_and_crop(image, (224, 224), 256, crop))
    assert np.array_equal(pixels, expected)


def test_zoom_enlarges_and_its_minimum_is_the_whole_shorter_side():
    assert min_zoom((224, 224), 256) == 0.875
    assert crop_window((400, 300), (224, 224), 256, Crop(zoom=2)).resized_size == (682, 512)
    whole = crop_window((400, 300), (224, 224), 256, Crop(zoom=0.1))
    assert whole.resized_size[1] == 224
    assert whole.movable == (True, False)
    assert whole.box[3] == pytest.approx(300)


def test_the_box_of_the_centre_crop_in_the_photograph():
    left, top, width, height = crop_window((800, 512), (224, 224), 256).box
    assert (width, height) == pytest.approx((448, 448))
    assert (left, top) == pytest.approx((176, 32))


@pytest.mark.parametrize("values", [(-0.1, 0.5, 1), (0.5, 1.1, 1), (0.5, 0.5, 0), (0.5, 0.5, 99)])
def test_an_impossible_crop_is_a_mistake_of_the_user(values):
    with pytest.raises(UserError, match="the crop's"):
        Crop(*values)
