"""The numbers of two Gaussians at one ε, as a table: those of the screen, and of the CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from explorer.experiments.gaussians import (
    Array,
    TwoGaussians,
    alignment,
    learned_covariance,
)


@dataclass(frozen=True)
class LinearClassifier:
    """``name``, direction ``w`` [d], the ``covariance`` [d, d] it believes in; errors and angle.

    ``error`` and ``adversarial_error`` are probabilities, ``angle`` in degrees is that between its
    gradient and the line from class to class.
    """

    name: str
    w: Array
    covariance: Array
    error: float
    adversarial_error: float
    angle: float


def classifiers_of(gaussians: TwoGaussians, radius: float) -> tuple[LinearClassifier, ...]:
    """The standard classifier and the robust one for the radius ε."""
    return (
        _classifier(gaussians, "standard", gaussians.covariance, radius),
        _classifier(gaussians, "robust", learned_covariance(gaussians, radius), radius),
    )


def table_csv(gaussians: TwoGaussians, radius: float) -> str:
    """A row for each classifier, with the numbers in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("classifier", "epsilon", "error", "adversarial_error", "angle_degrees"))
    for each in classifiers_of(gaussians, radius):
        writer.writerow((each.name, radius, each.error, each.adversarial_error, each.angle))
    return out.getvalue()


def _classifier(
    gaussians: TwoGaussians, name: str, covariance: Array, radius: float
) -> LinearClassifier:
    w = gaussians.direction(covariance)
    errors = gaussians.error(w), gaussians.error(w, radius)
    return LinearClassifier(name, w, covariance, *errors, alignment(w, gaussians.mean))
