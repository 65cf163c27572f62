"""The whole numbers of the command line: each option says from where to where they go.

A number outside of them is refused while the line is read, before anything is loaded.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from explorer.errors import short
from explorer.settings import MAX_RESTARTS, MAX_SEED, MAX_STEPS

MAX_COUNT = 10**9  # of images and the like; no set has as many
MAX_THREADS = 1_024
_MAX_DIGITS = 40  # Python reads no number of more than 4300


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """An argparse type: a whole number from ``least`` to ``most``."""

    def read(text: str) -> int:
        value = _value(text)
        if value is None or not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"it must be a whole number from {least:,} to {most:,}, and not {short(text)!r}"
            )
        return value

    return read


def _value(text: str) -> int | None:
    try:
        return int(text) if len(text) <= _MAX_DIGITS else None
    except ValueError:
        return None


seed = whole_number(0, MAX_SEED)
count = whole_number(1, MAX_COUNT)
steps = whole_number(1, MAX_STEPS)
restarts = whole_number(1, MAX_RESTARTS)
threads = whole_number(1, MAX_THREADS)
epochs = whole_number(1, 1_000_000)
batch = whole_number(1, 10_000)
rounds = whole_number(1, 10_000)
pixels = whole_number(1, 100_000)  # of a side; what uses it may be stricter
construction_steps = whole_number(1, 1_000_000)  # the paper takes 10,000 of them from noise
