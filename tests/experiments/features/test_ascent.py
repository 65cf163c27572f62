"""Targeted ascent against the closed form of a linear classifier, and within a mask."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.errors import Cancelled
from explorer.experiments.features.ascent import ascend
from tests.small_models import SIDE, grey_images, linear_classifier

EPSILON = 0.4


def difference(model) -> torch.Tensor:
    """The gradient of the score of class 1 over class 0, as an image."""
    weight = model.module.layer.weight.data
    return (weight[1] - weight[0]).view(3, SIDE, SIDE)


def test_a_linear_classifier_draws_along_its_weights_to_the_edge_of_the_budget():
    model, starts = linear_classifier(), grey_images(2)
    images = ascend(model, starts, torch.tensor([1, 0]), epsilon=EPSILON, steps=10).images
    unit = difference(model) / difference(model).norm()
    expected = starts + EPSILON * torch.stack([unit, -unit])
    torch.testing.assert_close(images, expected, atol=1e-4, rtol=0)


def test_pixels_outside_the_mask_keep_their_bits_and_the_budget_goes_to_the_others():
    model, starts = linear_classifier(), grey_images(1)
    mask = torch.zeros(SIDE, SIDE)
    mask[1:4, 2:5] = 1
    painted = ascend(model, starts, torch.tensor([1]), epsilon=EPSILON, steps=10, mask=mask).images
    outside = (mask == 0).expand(1, 3, -1, -1)
    assert torch.equal(painted[outside], starts[outside])
    inside = difference(model) * mask
    expected = starts + EPSILON * inside / inside.norm()
    torch.testing.assert_close(painted, expected, atol=1e-4, rtol=0)


def test_it_stops_before_the_step_at_which_it_is_cancelled():
    steps: list[int] = []
    with pytest.raises(Cancelled):
        ascend(
            linear_classifier(),
            grey_images(1),
            torch.tensor([1]),
            epsilon=EPSILON,
            steps=9,
            on_step=lambda done, total, loss: steps.append(done),
            cancelled=lambda: len(steps) == 3,
        )
    assert steps == [1, 2, 3]


def test_weights_that_are_not_finite_are_named():
    model = linear_classifier()
    model.module.layer.weight.data[:] = float("nan")
    with pytest.raises(AttackError, match="not finite"):
        ascend(model, grey_images(1), torch.tensor([1]), epsilon=EPSILON, steps=2)
