"""Training images moved and mirrored."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(images: Tensor, crop: int, flip: Tensor, shifts: Tensor) -> Tensor:
    """Images moved by ``shifts`` [N, 2] − ``crop`` pixels, and mirrored where ``flip`` [N] is true.

    Reflections fill the borders.
    """
    size = images.shape[-1]
    padded = F.pad(images, (crop,) * 4, mode="reflect")
    out = torch.empty_like(images)
    for i, (dy, dx) in enumerate(shifts.tolist()):
        out[i] = padded[i, :, dy : dy + size, dx : dx + size]
    return torch.where(flip[:, None, None, None], out.flip(3), out)
