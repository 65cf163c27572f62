"""The images at the steps of an attack: how many fit the memory, and which of them are shown."""

from __future__ import annotations

import math

MAX_VALUES = 64_000_000  # float32 values of all frames that an attack may keep, with restarts


def frames_fit(size: tuple[int, int], steps: int, restarts: int) -> bool:
    """Whether the frames of such an attack, at ``size`` (height, width), fit into the memory."""
    return 3 * size[0] * size[1] * (steps + 1) * restarts <= MAX_VALUES


def sampled_steps(steps: int, best: int, count: int) -> tuple[int, ...]:
    """About ``count`` of the points 0 … ``steps``, evenly spaced, with the first, last and best."""
    stride = max(1, math.ceil((steps + 1) / max(count, 1)))
    return tuple(sorted({*range(0, steps + 1, stride), best, steps}))
