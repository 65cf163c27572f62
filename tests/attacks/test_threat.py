from __future__ import annotations

import math

import pytest
import torch

from explorer.attacks import Threat
from explorer.attacks.threat import flat_norm


@pytest.mark.parametrize(
    ("norm", "epsilon", "words"),
    [
        ("l1", 0.1, "unknown norm"),
        ("linf", -0.1, "at least 0"),
        ("l2", float("nan"), "at least 0"),
        ("linf", 1.5, "must not exceed 255/255"),
        ("linf", torch.tensor([0.1, -1.0]), "at least 0"),
        ("l2", torch.zeros(2, 2), "shape"),
    ],
)
def test_impossible_threats_are_refused(norm, epsilon, words):
    with pytest.raises(ValueError, match=words):
        Threat(norm, epsilon)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_projection_gives_the_nearest_point_of_the_ball(norm):
    delta = torch.randn(64, 3, 4, 4, generator=torch.Generator().manual_seed(0)) / 10
    epsilon = torch.linspace(0, 1.5 * float(flat_norm(delta, norm).max()), 64)
    projected = Threat(norm, epsilon).project(delta)
    assert (flat_norm(projected, norm) <= epsilon + 1e-6).all()
    inside = flat_norm(delta, norm) <= epsilon
    assert inside.any()
    assert (~inside).any()
    assert torch.equal(projected[inside], delta[inside])
    # No other point of the ball is nearer: moving the result towards delta leaves the ball.
    outside = ~inside & (epsilon > 0)
    nearer = projected + 1e-2 * (delta - projected)
    assert (flat_norm(nearer, norm)[outside] > epsilon[outside]).all()


def test_l2_start_is_uniform_in_the_ball():
    """P(‖δ‖ ≤ r ε) = r^d: in 3 dimensions the radius to the power 3 is uniform."""
    like = torch.zeros(4000, 3, 1, 1)
    delta = Threat("l2", 0.5).random_start(like, torch.Generator().manual_seed(0))
    share = (flat_norm(delta, "l2") / 0.5) ** 3
    assert share.max() <= 1 + 1e-5
    expected = torch.linspace(0, 1, 4000)
    assert (share.sort().values - expected).abs().max() < 1.63 / math.sqrt(
        4000
    )  # Kolmogorov-Smirnov, 1 % level
    assert delta.mean(dim=0).abs().max() < 0.02


def test_linf_start_fills_the_cube():
    delta = Threat("linf", 0.1).random_start(
        torch.zeros(200, 3, 4, 4), torch.Generator().manual_seed(0)
    )
    assert delta.abs().max() <= 0.1
    assert delta.min() < -0.099
    assert delta.max() > 0.099
    assert delta.mean().abs() < 0.002


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e-38])
def test_the_l2_step_has_length_one_for_gradients_of_any_size(scale):
    gradient = (
        torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(0)).clamp(-3, 3) * scale
    )
    step = Threat("l2", 1.0).normalized_gradient(gradient)
    assert torch.allclose(flat_norm(step, "l2"), torch.ones(5), atol=1e-4)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_zero_gradient_gives_no_step(norm):
    assert not Threat(norm, 1.0).normalized_gradient(torch.zeros(2, 3, 4, 4)).any()
