"""Starts: what they depend on, and the Gaussian that is fitted on pictures."""

from __future__ import annotations

import pytest
import torch

from explorer.datasets.labelled import LabelledImages
from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.starts import (
    GREY,
    GREY_DEVIATION,
    NOISE,
    gaussian_draw,
    pictures_by_class,
    start_of,
)

SHAPE = (3, 32, 32)


@pytest.mark.parametrize("kind", [NOISE, GREY])
def test_a_start_depends_on_seed_and_number_and_on_no_global_state(kind):
    first = start_of(kind, 0, 1, SHAPE)
    torch.rand(1)
    assert torch.equal(first, start_of(kind, 0, 1, SHAPE))
    for seed, number in ((0, 2), (1, 1)):
        assert not torch.equal(first, start_of(kind, seed, number, SHAPE))
    assert 0 <= float(first.min()) <= float(first.max()) <= 1


def test_noise_is_uniform_and_grey_is_faint():
    uniform, grey = start_of(NOISE, 0, 0, SHAPE), start_of(GREY, 0, 0, SHAPE)
    assert float(uniform.std()) == pytest.approx(12**-0.5, rel=0.03)
    assert float(grey.std()) == pytest.approx(GREY_DEVIATION, rel=0.05)
    assert float(grey.mean()) == pytest.approx(0.5, abs=0.01)


def test_the_gaussian_has_the_mean_and_the_covariance_of_the_pictures():
    generator = torch.Generator().manual_seed(0)
    pictures = torch.rand(5, 1, 1, 3, generator=generator)
    draws = torch.stack([gaussian_draw(pictures, generator).flatten() for _ in range(20_000)])
    own = pictures.flatten(1)
    torch.testing.assert_close(draws.mean(0), own.mean(0), atol=0.02, rtol=0)
    torch.testing.assert_close(draws.T.cov(), own.T.cov(), atol=0.01, rtol=0)


def test_a_class_needs_two_pictures():
    images = torch.randint(0, 256, (3, 3, 4, 4), dtype=torch.uint8)
    data = LabelledImages(images, torch.tensor([0, 0, 1]), ("cat", "dog"))
    with pytest.raises(FeatureError, match=r"at least 2 pictures of each class; .* 1 of “dog”"):
        pictures_by_class(data, (0, 1))
    assert torch.equal(pictures_by_class(data, (0,))[0], images[:2].float() / 255)
