"""How many times as large one measured proportion is as another, with its uncertainty."""

from __future__ import annotations

import math
from dataclasses import dataclass

from explorer.experiments.evaluation.robust_accuracy import Z95

FEWEST = 10  # images that a proportion has to rest on: the interval is approximate, and wide below


@dataclass(frozen=True)
class Ratio:
    """The ratio of two proportions with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def ratio_of(count: int, n: int, other_count: int, other_n: int) -> Ratio | None:
    """``count`` of ``n`` relative to ``other_count`` of ``other_n``, with Katz's log interval.

    ln(ratio) ± z √(1/a − 1/n + 1/b − 1/m) for a of n and b of m (Katz et al. 1978), for independent
    samples. Of the same images, on which two classifiers tend to agree, it is too wide rather than
    too narrow. None if either count is below :data:`FEWEST`: 2 of 500 tell nothing about a ratio.
    """
    if min(count, other_count) < FEWEST:
        return None
    value = count / n * other_n / other_count
    spread = Z95 * math.sqrt(1 / count - 1 / n + 1 / other_count - 1 / other_n)
    return Ratio(value, value * math.exp(-spread), value * math.exp(spread))
