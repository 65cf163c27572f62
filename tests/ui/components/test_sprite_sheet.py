"""The frames of an attack as one image, and cut out of it again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from explorer.images.geometry import to_uint8
from explorer.ui.components.sprite_sheet import images_of, sprite_sheet_of
from tests.figures.conftest import make_report


def test_the_frames_come_back_with_the_same_pixels() -> None:
    report = make_report(size=12, steps=6)
    frames = torch.rand(7, 1, 3, 12, 12, generator=torch.Generator().manual_seed(1))
    sheet = sprite_sheet_of(replace(report, trace=replace(report.trace, frames=frames)))
    images = images_of(sheet)
    assert list(images) == list(range(7))
    for step, image in images.items():
        np.testing.assert_array_equal(image, to_uint8(frames[step, 0]))
