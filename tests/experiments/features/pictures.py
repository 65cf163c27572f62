"""Pictures and classifiers of the tests about features."""

from __future__ import annotations

import torch
from PIL import Image

from tests.small_models import SIDE


def small_picture(seed: int = 1) -> Image.Image:
    """A picture of the small models' size, near mid-grey."""
    generator = torch.Generator().manual_seed(seed)
    levels = torch.randint(90, 166, (SIDE, SIDE, 3), generator=generator)
    return Image.fromarray(levels.to(torch.uint8).numpy())
