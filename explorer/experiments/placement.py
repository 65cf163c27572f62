"""Where a patch sticks on a picture: place, size and rotation, and the picture with the patch.

The patch is a square; its placements are drawn at random and lie within the picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Placements:
    """One placement for each of N pictures, float32 [N] each.

    ``side`` is the patch's as a share of the picture's side and ``angle`` its rotation in radians.
    ``x`` and ``y``, from 0 to 1, say where in the free range it is: 0 touches the left or upper
    edge, 1 the right or lower one.
    """

    side: Tensor
    angle: Tensor
    x: Tensor
    y: Tensor

    def __len__(self) -> int:
        return len(self.side)

    def take(self, rows: Tensor) -> Placements:
        """The placements at ``rows`` int64."""
        return Placements(self.side[rows], self.angle[rows], self.x[rows], self.y[rows])

    def to_patch(self) -> Tensor:
        """The affine maps [N, 2, 3] from the picture's to the patch's coordinates, both in ±1."""
        half = self.side * (self.angle.cos().abs() + self.angle.sin().abs())
        x, y = ((2 * place - 1) * (1 - half) for place in (self.x, self.y))
        cosine, sine = self.angle.cos() / self.side, self.angle.sin() / self.side
        rows = (
            torch.stack([cosine, sine, -(cosine * x + sine * y)], dim=1),
            torch.stack([-sine, cosine, sine * x - cosine * y], dim=1),
        )
        return torch.stack(rows, dim=1)


def random_placements(
    count: int, area: float, rotation: float, generator: torch.Generator, spread: float = 0.0
) -> Placements:
    """Placements drawn uniformly: of the share ``area`` of the picture, turned by at most
    ``rotation`` degrees.

    With a ``spread`` the side is between 1 − spread and 1 + spread of what that takes.
    """
    uniform = torch.rand((count, 4), generator=generator)
    side = math.sqrt(area) * (1 + spread * (2 * uniform[:, 0] - 1))
    angle = math.radians(rotation) * (2 * uniform[:, 1] - 1)
    # Turned, a square is up to √2 times as wide: it must not be wider than the picture.
    widest = angle.cos().abs() + angle.sin().abs()
    return Placements(side.minimum(1 / widest), angle, uniform[:, 2], uniform[:, 3])


def stick(images: Tensor, patch: Tensor, placements: Placements) -> Tensor:
    """``images`` float32 [N, C, H, W] with ``patch`` [C, P, P] on each, on the CPU.

    The result is differentiable for the patch.
    """
    size = (len(images), *images.shape[1:])
    grid = F.affine_grid(placements.to_patch(), list(size), align_corners=False)
    shown = F.grid_sample(
        patch.expand(len(images), -1, -1, -1), grid, padding_mode="border", align_corners=False
    )
    covered = (grid.abs().amax(dim=-1) <= 1)[:, None]
    return torch.where(covered, shown, images)
