"""An attack's frames as one picture the browser can cut up: every iterate as it was, in 8 bits, lossless."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
from PIL import Image

from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import to_uint8
from explorer.ui.components.images import data_uri

# Float32 values an attack may keep while it runs (restarts included), and pixels of all frames sent to the browser.
MOST_VALUES = 64_000_000
MOST_PIXELS = 2_000_000


@dataclass(frozen=True)
class SpriteSheet:
    """``sheet`` is a data URI of a lossless WebP with the frames in rows of ``columns``, each ``width`` × ``height``; frame i
    shows the image at step ``steps[i]``."""

    sheet: str
    columns: int
    width: int
    height: int
    steps: tuple[int, ...]


def frames_fit(size: tuple[int, int], steps: int, restarts: int) -> bool:
    """Whether the iterates of such an attack may be kept at once."""
    return 3 * size[0] * size[1] * (steps + 1) * restarts <= MOST_VALUES


def chosen_steps(steps: int, kept: int, most: int) -> tuple[int, ...]:
    """At most about ``most`` of the points 0 … ``steps``, evenly spaced; the first, the last and the ``kept`` one always."""
    stride = max(1, math.ceil((steps + 1) / max(most, 1)))
    return tuple(sorted({*range(0, steps + 1, stride), kept, steps}))


def sprite_sheet_of(report: AttackReport) -> SpriteSheet:
    """The film of a report whose trace has its frames. Raises ``ValueError`` when it has none."""
    frames = report.trace.frames
    if frames is None:
        raise ValueError("the trace has no frames; ask the attack to keep them")
    height, width = frames.shape[-2:]
    steps = chosen_steps(
        report.trace.steps, int(report.trace.kept[0]), MOST_PIXELS // (height * width)
    )
    columns = math.ceil(math.sqrt(len(steps)))
    sheet = np.zeros((math.ceil(len(steps) / columns) * height, columns * width, 3), dtype=np.uint8)
    for i, step in enumerate(steps):
        top, left = i // columns * height, i % columns * width
        sheet[top : top + height, left : left + width] = to_uint8(frames[step, 0])
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "WEBP", lossless=True, method=0, quality=50)
    return SpriteSheet(data_uri(buffer.getvalue(), "image/webp"), columns, width, height, steps)
