"""Where a patch is on a picture: inside of it, of the area asked for, and where it can be seen."""

from __future__ import annotations

import math

import pytest
import torch

from explorer.experiments.placement import Placements, random_placements, stick


def placement(side: float, degrees: float = 0.0, x: float = 0.5, y: float = 0.5) -> Placements:
    values = side, math.radians(degrees), x, y
    return Placements(*(torch.tensor([value]) for value in values))


def covered(places: Placements, size: int = 64) -> torch.Tensor:
    """Where a white patch covers a black picture: bool [N, size, size]."""
    black = torch.zeros(len(places), 1, size, size)
    return stick(black, torch.ones(1, 8, 8), places)[:, 0] > 0.5


def test_a_quarter_of_the_side_in_the_upper_left_corner():
    where = covered(placement(0.25, x=0.0, y=0.0))[0]
    expected = torch.zeros(64, 64, dtype=torch.bool)
    expected[:16, :16] = True
    assert torch.equal(where, expected)


def test_x_goes_to_the_right_and_y_down():
    assert torch.equal(
        covered(placement(0.25, x=1.0, y=0.0))[0].nonzero()[0], torch.tensor([0, 48])
    )
    assert torch.equal(
        covered(placement(0.25, x=0.0, y=1.0))[0].nonzero()[0], torch.tensor([48, 0])
    )


def test_the_patch_is_shown_upright_and_turned_by_right_angles_exactly():
    patch = torch.arange(16.0).view(1, 4, 4) / 16
    picture = torch.zeros(1, 1, 16, 16)
    upright = stick(picture, patch, placement(0.25, x=0.0, y=0.0))[0, :, :4, :4]
    torch.testing.assert_close(upright, patch)
    turned = stick(picture, patch, placement(0.25, degrees=180, x=0.0, y=0.0))[0, :, :4, :4]
    torch.testing.assert_close(turned, patch.flip(1, 2))
    quarter = stick(picture, patch, placement(0.25, degrees=90, x=0.0, y=0.0))[0, :, :4, :4]
    torch.testing.assert_close(quarter, torch.rot90(patch, -1, (1, 2)))


@pytest.mark.parametrize("rotation", [0.0, 20.0, 45.0, 180.0])
def test_random_placements_lie_within_the_picture_and_have_the_area(rotation):
    generator = torch.Generator().manual_seed(0)
    places = random_placements(40, 0.05, rotation, generator)
    where = covered(places, 128)
    assert where.float().mean(dim=(1, 2)).tolist() == pytest.approx([0.05] * 40, abs=0.003)
    half = places.side * (places.angle.cos().abs() + places.angle.sin().abs())
    assert bool((half <= 1).all())
    assert bool((places.angle.abs() <= math.radians(rotation) + 1e-6).all())


def test_a_large_patch_that_is_turned_still_fits():
    places = random_placements(20, 0.9, 45.0, torch.Generator().manual_seed(0), spread=0.2)
    half = places.side * (places.angle.cos().abs() + places.angle.sin().abs())
    assert bool((half <= 1 + 1e-6).all())


def test_the_gradient_for_the_patch_is_that_of_the_pixels_it_covers():
    patch = torch.full((3, 4, 4), 0.5, requires_grad=True)
    picture = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    weights = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    (stick(picture, patch, placement(0.25, x=0.0, y=0.0)) * weights).sum().backward()
    torch.testing.assert_close(patch.grad, weights[0, :, :4, :4])
