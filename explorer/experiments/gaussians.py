"""Two Gaussians, for which everything about robustness has a closed form (Ilyas et al. 2019, § 4).

y = ±1 with equal probability, x ~ N(y μ, Σ). Maximum likelihood learns μ and Σ, and predicts
sign(xᵀ Σ⁻¹ μ). Learned against an adversary it keeps μ and replaces Σ by a Σ_r that is wider where
Σ is narrow: the classifier looks less at directions that predict well and are easily overcome.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import UserError

Array = NDArray[np.floating[Any]]
_BISECTIONS = 200  # each halves the interval: float64 has 53 bits
_ROUNDING = 1e-12  # of the largest entry: a covariance matrix may be unsymmetric by so much


class GaussiansError(UserError):
    """A mean, covariance or radius that describes no two Gaussians."""


@dataclass(frozen=True, eq=False)
class TwoGaussians:
    """The distribution: ``mean`` float64 [d] of the class +1, ``covariance`` float64 [d, d].

    Raises :class:`GaussiansError` unless the mean is not zero and the covariance is symmetric and
    positive definite.
    """

    mean: Array
    covariance: Array

    def __post_init__(self) -> None:
        mean = np.asarray(self.mean, dtype=np.float64)
        covariance = np.asarray(self.covariance, dtype=np.float64)
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)):
            raise GaussiansError(
                "the covariance must be a matrix of the size of the mean, a vector"
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all() and mean.any()):
            raise GaussiansError("mean and covariance must be finite, and the mean not zero")
        asymmetry = np.abs(covariance - covariance.T).max()
        if asymmetry > _ROUNDING * np.abs(covariance).max() or _least(covariance) <= 0:
            raise GaussiansError("the covariance must be symmetric and positive definite")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", covariance)

    @cached_property
    def spectrum(self) -> tuple[Array, Array]:
        """Σ = Q diag(s) Qᵀ: the eigenvalues s [d], ascending, and Q [d, d] with columns."""
        values, vectors = np.linalg.eigh(self.covariance)
        return values, vectors

    def with_eigenvalues(self, values: Array) -> Array:
        """The matrix [d, d] with the eigenvectors of Σ and these eigenvalues [d]."""
        vectors = self.spectrum[1]
        matrix: Array = (vectors * values) @ vectors.T
        return matrix

    def direction(self, covariance: Array) -> Array:
        """w [d] of the classifier sign(wᵀx) that this covariance and the true mean make: Σ⁻¹ μ."""
        w: Array = np.linalg.solve(covariance, self.mean)
        return w

    def error(self, w: Array, radius: float = 0.0) -> float:
        """The probability that sign(wᵀx) is wrong at the worst point within L2 ``radius`` of x.

        Φ(−(wᵀμ − ε‖w‖) / √(wᵀΣw)): the worst change is ε along −y w/‖w‖.
        """
        margin = float(w @ self.mean) - radius * float(np.linalg.norm(w))
        return _normal_cdf(-margin / math.sqrt(float(w @ self.covariance @ w)))

    def sample(self, n: int, seed: int = 0) -> tuple[Array, Array]:
        """``n`` points float64 [n, d] and their labels ±1 [n]."""
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, n) * 2.0 - 1
        noise = random.standard_normal((n, len(self.mean)))
        spread = noise @ np.linalg.cholesky(self.covariance).T
        return labels[:, None] * self.mean + spread, labels


def least_penalty(gaussians: TwoGaussians) -> float:
    """1/σ_min(Σ): an adversary who pays less than this for a change goes as far as it likes."""
    return 1 / float(gaussians.spectrum[0][0])


def risk_gap(gaussians: TwoGaussians, penalty: float) -> float:
    """Theorem 1: how much an adversary raises the loss of maximum likelihood.

    The adversary moves x by the δ that maximises the quadratic form of the log-likelihood minus
    ``penalty`` C times ‖δ‖², and the gap of E[(x + δ − yμ)ᵀ Σ⁻¹ (x + δ − yμ)] is
    tr[(I + (CΣ − I)⁻¹)²] − d. Among all Σ of one trace it is least for a multiple of I.
    Raises :class:`GaussiansError` unless C > 1/σ_min(Σ).
    """
    scaled = penalty * gaussians.spectrum[0]
    if not scaled[0] > 1:
        raise GaussiansError(
            f"the penalty must be above {least_penalty(gaussians):.4g}, 1 over the least variance; "
            f"it is {penalty:.4g}"
        )
    return float(((1 + 1 / (scaled - 1)) ** 2 - 1).sum())


def robust_covariance(gaussians: TwoGaussians, penalty: float) -> Array:
    """Theorem 2: the covariance Σ_r [d, d] that maximum likelihood learns against the adversary.

    Σ_r = ½ Σ + (1/λ) I + √((1/λ) Σ + ¼ Σ²), for the ``penalty`` λ > 0 on ‖δ‖².
    """
    if not penalty > 0:
        raise GaussiansError(f"the penalty must be above 0; it is {penalty:.4g}")
    return gaussians.with_eigenvalues(_robust_eigenvalues(gaussians.spectrum[0], penalty))


def penalty_for(gaussians: TwoGaussians, radius: float) -> float:
    """The penalty λ with which theorem 2's adversary moves x by ``radius`` in the root mean square.

    At Σ_r its change is δ = (λΣ_r − I)⁻¹ (x − yμ), so that E‖δ‖² = Σ_i 1/(λ² s_i) with the
    eigenvalues s_i of Σ_r; it falls as λ grows. Infinite for the radius 0.
    """
    if not (math.isfinite(radius) and radius >= 0):
        raise GaussiansError(f"ε must be a number of at least 0; it is {radius:g}")
    if radius == 0:
        return math.inf
    low, high = -300.0, 300.0  # of the logarithm to base 10
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if mean_square_change(gaussians, 10**middle) > radius**2:
            low = middle
        else:
            high = middle
    return float(10**high)


def mean_square_change(gaussians: TwoGaussians, penalty: float) -> float:
    """E‖δ‖² of the adversary of theorem 2 at Σ_r."""
    eigenvalues = _robust_eigenvalues(gaussians.spectrum[0], penalty)
    return float((1 / (penalty * eigenvalues) / penalty).sum())


def learned_covariance(gaussians: TwoGaussians, radius: float) -> Array:
    """The covariance [d, d] learned against an adversary that moves x by ``radius`` (see above).

    For the radius 0 it is Σ.
    """
    if radius == 0:
        return gaussians.covariance
    return robust_covariance(gaussians, penalty_for(gaussians, radius))


def alignment(w: Array, mean: Array) -> float:
    """Theorem 3: the angle in degrees between a classifier's gradient w and the mean.

    The more robust the learning, the smaller it is: the gradient points from class to class.
    """
    cosine = float(w @ mean) / float(np.linalg.norm(w) * np.linalg.norm(mean))
    return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


def _robust_eigenvalues(eigenvalues: Array, penalty: float) -> Array:
    result: Array = (
        eigenvalues / 2
        + 1 / penalty
        + np.sqrt(eigenvalues / penalty + eigenvalues * eigenvalues / 4)
    )
    return result


def _least(matrix: Array) -> float:
    return float(np.linalg.eigvalsh(matrix)[0])


def _normal_cdf(value: float) -> float:
    return 0.5 * math.erfc(-value / math.sqrt(2))
