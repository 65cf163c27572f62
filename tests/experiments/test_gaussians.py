"""Theorems 1 to 3 of Ilyas et al. (2019), against optimisation and against samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from explorer.experiments.gaussians import (
    GaussiansError,
    TwoGaussians,
    alignment,
    learned_covariance,
    least_penalty,
    mean_square_change,
    penalty_for,
    risk_gap,
    robust_covariance,
)

TILTED = TwoGaussians(np.array([1.5, 1.5]), np.array([[4.0, 1.2], [1.2, 0.9]]))
ROUND = TwoGaussians(np.array([1.0, 2.0]), np.eye(2) * 1.7)
EACH = pytest.mark.parametrize("gaussians", [TILTED, ROUND], ids=["tilted", "round"])


def noise(gaussians: TwoGaussians, n: int = 500) -> np.ndarray:
    """x − yμ of n samples, whose second moment is exactly Σ."""
    points, labels = gaussians.sample(n, seed=3)
    z = points - labels[:, None] * gaussians.mean
    white = z @ np.linalg.inv(np.linalg.cholesky(z.T @ z / n)).T
    return white @ np.linalg.cholesky(gaussians.covariance).T


def robust_direction(gaussians: TwoGaussians, radius: float) -> np.ndarray:
    return gaussians.direction(learned_covariance(gaussians, radius))


@EACH
@pytest.mark.parametrize("factor", [1.5, 4.0])
def test_theorem_1_is_what_the_best_change_does(gaussians, factor):
    penalty = factor * least_penalty(gaussians)
    z, inverse = noise(gaussians), np.linalg.inv(gaussians.covariance)
    change = torch.zeros(z.shape, dtype=torch.float64, requires_grad=True)
    points, matrix = torch.tensor(z), torch.tensor(inverse)
    optimizer = torch.optim.LBFGS([change], max_iter=60, tolerance_grad=1e-12, history_size=10)

    def objective() -> torch.Tensor:
        optimizer.zero_grad()
        moved = points + change
        gain = (moved @ matrix * moved).sum() - penalty * (change * change).sum()
        (-gain).backward()
        return -gain

    optimizer.step(objective)
    moved = (points + change).detach().numpy()
    gap = np.mean((moved @ inverse * moved).sum(1)) - np.mean((z @ inverse * z).sum(1))
    assert gap == pytest.approx(risk_gap(gaussians, penalty), rel=1e-6)


def test_theorem_1_is_least_for_a_multiple_of_the_identity():
    penalty, trace = 3.0, 4.0
    equal = TwoGaussians(np.array([1.0, 0.0]), np.diag([trace / 2, trace / 2]))
    for share in (0.2, 0.3, 0.45):
        unequal = TwoGaussians(equal.mean, np.diag([share * trace, (1 - share) * trace]))
        assert risk_gap(unequal, penalty) > risk_gap(equal, penalty)


def test_a_penalty_that_stops_no_change_is_a_sentence():
    with pytest.raises(
        GaussiansError, match=r"penalty must be above .*, 1 over the least variance"
    ):
        risk_gap(TILTED, least_penalty(TILTED))


@EACH
@pytest.mark.parametrize("penalty", [0.4, 2.0, 30.0])
def test_theorem_2_is_the_least_adversarial_risk(gaussians, penalty):
    """½ log det Σ_r + ½ tr[Σ (Σ_r − I/λ)⁻¹] is the risk against the best change, by its formula."""
    eye = torch.eye(2, dtype=torch.float64)
    true = torch.tensor(gaussians.covariance)
    factor = torch.tensor(np.linalg.cholesky(gaussians.covariance + np.eye(2)), requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [factor],
        max_iter=500,
        tolerance_grad=1e-12,
        tolerance_change=1e-15,
        line_search_fn="strong_wolfe",
    )

    def risk() -> torch.Tensor:
        optimizer.zero_grad()
        rest = factor @ factor.T  # Σ_r − I/λ, positive definite as the best change needs it
        value = torch.logdet(rest + eye / penalty) + torch.trace(true @ torch.linalg.inv(rest))
        value.backward()
        return value

    optimizer.step(risk)
    best = (factor @ factor.T + eye / penalty).detach().numpy()
    np.testing.assert_allclose(robust_covariance(gaussians, penalty), best, rtol=1e-5)


@EACH
@pytest.mark.parametrize("radius", [0.05, 1.0, 10.0])
def test_the_penalty_belongs_to_the_radius(gaussians, radius):
    penalty = penalty_for(gaussians, radius)
    assert math.sqrt(mean_square_change(gaussians, penalty)) == pytest.approx(radius, rel=1e-9)
    covariance = robust_covariance(gaussians, penalty)
    change = noise(gaussians) @ np.linalg.inv(penalty * covariance - np.eye(2)).T
    assert math.sqrt((change**2).sum(1).mean()) == pytest.approx(radius, rel=1e-9)


@EACH
def test_without_an_adversary_the_robust_classifier_is_the_standard_one(gaussians):
    standard = gaussians.direction(gaussians.covariance)
    assert penalty_for(gaussians, 0.0) == math.inf
    np.testing.assert_array_equal(robust_direction(gaussians, 0.0), standard)
    almost = robust_direction(gaussians, 1e-6)
    np.testing.assert_allclose(almost, standard, rtol=1e-4)


@pytest.mark.parametrize("radius", [0.0, 0.4, 1.5])
def test_the_errors_are_those_of_samples(radius):
    points, labels = TILTED.sample(400_000, seed=5)
    for w in (TILTED.direction(TILTED.covariance), robust_direction(TILTED, 1.5)):
        worst = points - radius * labels[:, None] * w / np.linalg.norm(w)
        counted = float(np.mean(labels * (worst @ w) <= 0))
        assert TILTED.error(w, radius) == pytest.approx(counted, abs=4 * math.sqrt(0.25 / 400_000))


def test_the_standard_classifier_has_the_least_error_and_the_robust_one_less_under_attack():
    standard, robust = TILTED.direction(TILTED.covariance), robust_direction(TILTED, 1.5)
    assert TILTED.error(standard) < TILTED.error(robust)
    assert TILTED.error(robust, 1.5) < TILTED.error(standard, 1.5)


def test_theorem_3_the_gradient_turns_towards_the_mean():
    angles = [alignment(robust_direction(TILTED, radius), TILTED.mean) for radius in (0, 1, 5, 50)]
    assert angles == sorted(angles, reverse=True)
    assert angles[0] > 30
    assert angles[-1] < 1
    assert alignment(ROUND.direction(ROUND.covariance), ROUND.mean) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("mean", "covariance", "words"),
    [
        ([0, 0], np.eye(2), "mean not zero"),
        ([1, float("nan")], np.eye(2), "finite"),
        ([1, 2], np.eye(3), "a matrix of the size of the mean"),
        ([1, 2], [[1, 2], [2, 1]], "positive definite"),
        ([1, 2], [[1, 0.5], [0, 1]], "symmetric"),
    ],
)
def test_what_is_no_two_gaussians_is_a_sentence(mean, covariance, words):
    with pytest.raises(GaussiansError, match=words):
        TwoGaussians(mean, covariance)


@pytest.mark.parametrize("radius", [-1, float("nan"), float("inf")])
def test_a_radius_that_is_none_is_a_sentence(radius):
    with pytest.raises(GaussiansError, match="ε must be a number of at least 0"):
        penalty_for(TILTED, radius)
