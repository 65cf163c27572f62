"""An attack's frames as one lossless image, which the browser cuts up to play them."""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from explorer.experiments.one_image.frames import sampled_steps
from explorer.experiments.one_image.report import AttackReport
from explorer.images.geometry import to_uint8
from explorer.ui.components.images import data_uri

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


def images_of(sprite_sheet: SpriteSheet) -> dict[int, NDArray[np.uint8]]:
    """The frames of ``sprite_sheet``, uint8 [H, W, 3], by step."""
    data = base64.b64decode(sprite_sheet.sheet.partition(",")[2])
    sheet = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    height, width = sprite_sheet.height, sprite_sheet.width
    images = {}
    for i, step in enumerate(sprite_sheet.steps):
        top, left = i // sprite_sheet.columns * height, i % sprite_sheet.columns * width
        images[step] = sheet[top : top + height, left : left + width]
    return images
