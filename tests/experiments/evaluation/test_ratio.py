"""The ratio of two proportions: scipy's interval, its coverage, and what is too few for one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from scipy.stats.contingency import relative_risk

from explorer.experiments.evaluation.ratio import FEWEST, ratio_of


@pytest.mark.parametrize("counts", [(212, 500, 103, 500), (15, 40, 200, 1000), (10, 10, 10, 20)])
def test_the_interval_is_scipys(counts):
    ratio, reference = ratio_of(*counts), relative_risk(*counts)
    assert ratio.value == pytest.approx(reference.relative_risk)
    assert (ratio.low, ratio.high) == pytest.approx(tuple(reference.confidence_interval(0.95)))


def test_it_contains_the_true_ratio_about_95_times_in_100():
    n, shares = 120, (0.5, 0.25)
    counts = np.arange(n + 1)
    first, second = (binom.pmf(counts, n, share) for share in shares)
    covered = total = 0.0
    for a in counts[FEWEST:]:
        for b in counts[FEWEST:]:
            weight = first[a] * second[b]
            if weight < 1e-9:
                continue
            ratio = ratio_of(int(a), n, int(b), n)
            covered += weight * (ratio.low <= shares[0] / shares[1] <= ratio.high)
            total += weight
    assert total > 0.9999
    assert 0.94 < covered / total < 0.96


def test_few_images_are_no_ratio():
    assert ratio_of(96, 500, 2, 500) is None
    assert ratio_of(FEWEST - 1, 500, 200, 500) is None
    assert ratio_of(FEWEST, 500, FEWEST, 500) is not None
