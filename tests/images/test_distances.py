"""Distances against values computed by hand, and SSIM against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.images.distances import l2, linf, magnification, perturbation_image, ssim

C1, C2 = 0.01**2, 0.03**2


def uniform(*shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def test_linf_and_l2_by_hand() -> None:
    a = torch.zeros(3, 2, 2)
    b = a.clone()
    b[0, 0, 0], b[2, 1, 1] = 0.75, -1.0  # a 3-4-5 triangle: 0.75² + 1² = 1.25²
    assert linf(a, b) == linf(b, a) == 1.0
    assert l2(a, b) == l2(b, a) == 1.25
    assert linf(a, a) == l2(a, a) == 0.0


def test_l2_is_a_sum_not_a_mean() -> None:
    a = torch.full((3, 10, 10), 0.5)
    assert l2(a, a + 0.25) == pytest.approx(0.25 * 300**0.5, rel=1e-12)


def test_one_8bit_level_is_measured_within_float32() -> None:
    a = torch.arange(0, 252).float().view(3, 7, 12) / 255
    b = torch.arange(4, 256).float().view(3, 7, 12) / 255
    assert linf(a, b) == pytest.approx(4 / 255, abs=1e-7)


@pytest.mark.parametrize("distance", [linf, l2, ssim])
def test_shapes_must_agree(distance: object) -> None:
    with pytest.raises(ValueError, match=r"\[3, 8, 8\] and \[3, 1, 8\]"):
        distance(torch.zeros(3, 8, 8), torch.zeros(3, 1, 8))  # type: ignore[operator]


def test_ssim_of_equal_images_is_one() -> None:
    image = uniform(3, 32, 32)
    assert ssim(image, image) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(("u", "v"), [(0.0, 1.0), (0.25, 0.5), (0.75, 0.5)])
def test_ssim_of_constant_images(u: float, v: float) -> None:
    # Without variance only the luminance term remains.
    expected = (2 * u * v + C1) / (u * u + v * v + C1)
    assert ssim(torch.full((3, 16, 24), u), torch.full((3, 16, 24), v)) == pytest.approx(
        expected, rel=1e-9
    )


@pytest.mark.parametrize("side", [3, 5, 7])
def test_ssim_of_one_window_by_the_formula(side: int) -> None:
    """At ``side`` ≤ 7 one window covers the image; a constant shift keeps the variance."""
    a = uniform(3, side, side).double() * 0.5
    b = a + 0.25
    expected = []
    for x, y in zip(a.numpy(), b.numpy(), strict=True):
        luminance = (2 * x.mean() * y.mean() + C1) / (x.mean() ** 2 + y.mean() ** 2 + C1)
        covariance = np.cov(x.ravel(), y.ravel())
        structure = (2 * covariance[0, 1] + C2) / (covariance[0, 0] + covariance[1, 1] + C2)
        expected.append(luminance * structure)
    assert ssim(a, b) == pytest.approx(np.mean(expected), rel=1e-9)


def test_ssim_falls_as_noise_grows() -> None:
    image, noise = uniform(3, 32, 32), uniform(3, 32, 32).flip(1) - 0.5
    scores = [ssim(image, image + size * noise) for size in (0.0, 0.1, 0.3, 1.0)]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_ssim_of_even_sides_and_of_images_that_are_too_small() -> None:
    assert ssim(torch.zeros(3, 4, 6), torch.zeros(3, 4, 6)) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="at least 3 × 3"):
        ssim(torch.zeros(3, 2, 9), torch.zeros(3, 2, 9))


def test_perturbation_image_by_hand() -> None:
    delta = torch.tensor([0.0, 0.01, -0.02, 0.02]).view(1, 2, 2).expand(3, 2, 2)
    assert magnification(delta) == pytest.approx(25.0)
    expected = torch.tensor([0.5, 0.75, 0.0, 1.0]).view(1, 2, 2).expand(3, 2, 2)
    torch.testing.assert_close(perturbation_image(delta), expected)


def test_perturbation_image_is_magnification_times_delta() -> None:
    delta = (uniform(3, 9, 9) - 0.5) / 30
    torch.testing.assert_close(perturbation_image(delta), 0.5 + magnification(delta) * delta)


def test_no_perturbation_is_grey() -> None:
    delta = torch.zeros(3, 4, 4)
    assert magnification(delta) == 1.0
    assert torch.equal(perturbation_image(delta), torch.full((3, 4, 4), 0.5))


def test_the_smallest_perturbation_stays_finite() -> None:
    delta = torch.zeros(3, 4, 4)
    delta[0, 0, 0] = 1e-39  # subnormal: its reciprocal is beyond float32
    image = perturbation_image(delta)
    assert image[0, 0, 0] == 1.0
    assert torch.isfinite(image).all()
    assert magnification(delta) < float("inf")
