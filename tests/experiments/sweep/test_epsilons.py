"""Ranges of ε as a person writes them, and the scale for those who write none."""

from __future__ import annotations

import pytest

from explorer.errors import UserError
from explorer.experiments.sweep.epsilons import automatic_epsilons, parse_epsilons


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["0.5"], [0.5]),
        (["0:1:0.25"], [0, 0.25, 0.5, 0.75, 1]),
        (["0:3/255:1/255"], [0, 1 / 255, 2 / 255, 3 / 255]),
        (["0:1:0.4"], [0, 0.4, 0.8]),
        (["4/255", "0:2/255:1/255", "0"], [0, 1 / 255, 2 / 255, 4 / 255]),
        (["0.3:0.3:0.1"], [0.3]),
        ([], []),
    ],
)
def test_numbers_and_ranges_in_order_and_each_once(texts, values):
    assert parse_epsilons(texts) == pytest.approx(values, abs=1e-12)


def test_a_range_of_decimal_steps_ends_at_its_stop():
    values = parse_epsilons(["0:1:0.05"])
    assert len(values) == 21
    assert values[-1] == 1.0


@pytest.mark.parametrize("text", ["0:1", "0:1:0", "1:0:0.1", "0:1:1e-6", "a:b:c", "0:1:0.1:2", ""])
def test_what_is_no_range_is_a_mistake_of_the_person(text):
    with pytest.raises(UserError):
        parse_epsilons([text])


@pytest.mark.parametrize(("norm", "largest"), [("linf", 1.0), ("l2", 55.4), ("l2", 3.5)])
def test_the_automatic_scale_ascends_from_zero_and_stays_within_the_largest(norm, largest):
    values = automatic_epsilons(norm, largest)
    assert values[0] == 0
    assert list(values) == sorted(set(values))
    assert largest / 2 < values[-1] <= largest
