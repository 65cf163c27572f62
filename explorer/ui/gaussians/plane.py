"""The plane with the two Gaussians: dragged, computed and drawn in the browser.

The script beside this module has the formulas of ``explorer/experiments/gaussians.py`` again: a
test compares both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import cache
from typing import Any

import numpy as np

from explorer.experiments.gaussians import TwoGaussians
from explorer.figures import palette
from explorer.ui.components.component import component

POINTS, SEED = 2000, 0  # drawn from the two Gaussians; the plot shows the first 300
ALT = (
    "Two clouds of points in a plane, with the decision lines of a standard and a robust "
    "classifier. The mean and the spreads are handles, dragged or moved with the arrow keys."
)

_draw = component(__file__)


@dataclass(frozen=True)
class PlaneState:
    """What can be dragged: the mean of the class +1, the spreads (standard deviations) along two
    perpendicular axes, the angle ``tilt`` of the first of them in radians, and ε, the ``radius``.
    """

    x: float
    y: float
    first: float
    second: float
    tilt: float
    radius: float

    def gaussians(self) -> TwoGaussians:
        """The distribution. Raises a :class:`~explorer.errors.UserError` if there is none."""
        cosine, sine = np.cos(self.tilt), np.sin(self.tilt)
        axes = np.array([[cosine, -sine], [sine, cosine]])
        covariance = (axes * np.array([self.first, self.second]) ** 2) @ axes.T
        return TwoGaussians(np.array([self.x, self.y]), (covariance + covariance.T) / 2)


def plane(state: PlaneState, key: str, on_moved: Callable[[], None]) -> None:
    """Draw the plane; ``on_moved`` is called when something was dragged."""
    _draw(key=key, data=plane_data(state), on_moved_change=on_moved)


def plane_data(state: PlaneState) -> dict[str, Any]:
    """What the browser gets."""
    normals, labels = _draws()
    return {
        "state_id": list(astuple(state)),
        "state": {
            "mean": [state.x, state.y],
            "spread": [state.first, state.second],
            "tilt": state.tilt,
            "radius": state.radius,
        },
        "normals": normals,
        "labels": labels,
        "alt": ALT,
        "colours": {
            "standard": palette.STANDARD,
            "robust": palette.ROBUST,
            "points": palette.ORIGINAL,
            "attack": palette.ADVERSARIAL,
        },
    }


@cache
def _draws() -> tuple[list[list[float]], list[int]]:
    """Standard normal numbers for each point, the same for every state, and its label ±1."""
    random = np.random.default_rng(SEED)
    normals = random.standard_normal((POINTS, 2)).round(4)
    return normals.tolist(), (random.integers(0, 2, POINTS) * 2 - 1).tolist()
