"""An attack's frames as one lossless image, which the browser cuts up to play them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import to_uint8
from explorer.ui.components.images import data_uri

MAX_VALUES = 64_000_000  # float32 values of all frames that an attack may keep, with restarts
MAX_PIXELS = 2_000_000  # of all frames sent to the browser


@dataclass(frozen=True)
class SpriteSheet:
    """``sheet`` is the data URI of a lossless WebP with the frames in rows of ``columns``.

    Each frame is ``width`` × ``height`` pixels; frame i shows the image at step ``steps[i]``.
    """

    sheet: str
    columns: int
    width: int
    height: int
    steps: tuple[int, ...]


def frames_fit(size: tuple[int, int], steps: int, restarts: int) -> bool:
    """Whether the frames of such an attack, at ``size`` (height, width), fit into the memory."""
    return 3 * size[0] * size[1] * (steps + 1) * restarts <= MAX_VALUES


def sampled_steps(steps: int, best: int, count: int) -> tuple[int, ...]:
    """About ``count`` of the points 0 … ``steps``, evenly spaced, with the first, last and best."""
    stride = max(1, math.ceil((steps + 1) / max(count, 1)))
    return tuple(sorted({*range(0, steps + 1, stride), best, steps}))


def sprite_sheet_of(report: AttackReport) -> SpriteSheet:
    """The sprite sheet of a report whose trace has its frames; ``ValueError`` if it has none."""
    frames = report.trace.frames
    if frames is None:
        raise ValueError("the trace has no frames; ask the attack to keep them")
    height, width = frames.shape[-2:]
    steps = sampled_steps(
        report.trace.steps, int(report.trace.kept[0]), MAX_PIXELS // (height * width)
    )
    columns = math.ceil(math.sqrt(len(steps)))
    sheet = np.zeros((math.ceil(len(steps) / columns) * height, columns * width, 3), dtype=np.uint8)
    for i, step in enumerate(steps):
        top, left = i // columns * height, i % columns * width
        sheet[top : top + height, left : left + width] = to_uint8(frames[step, 0])
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "WEBP", lossless=True, method=0, quality=50)
    return SpriteSheet(data_uri(buffer.getvalue(), "image/webp"), columns, width, height, steps)
