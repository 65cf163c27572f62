"""What an attack costs as it grows."""

from __future__ import annotations

import pytest

from explorer.benchmarks import scaling
from explorer.benchmarks.scaling import measure_costs
from tests.benchmarks.tiny import SETTING, tiny_classifier


@pytest.fixture
def tiny():
    return tiny_classifier()


def test_each_quantity_is_listed_with_its_values_relative_to_the_first(tiny):
    costs = measure_costs(tiny, SETTING, 1, [1, 3])
    assert [(cost.what, cost.value) for cost in costs] == [
        ("epsilons", 1),
        ("epsilons", 12),
        ("epsilons, until fooled", 1),
        ("epsilons, until fooled", 12),
        ("restarts", 1),
        ("restarts", 5),
        ("restarts, until fooled", 1),
        ("restarts, until fooled", 5),
        ("steps", 5),
        ("steps", 10),
        ("steps", 20),
        ("steps", 40),
        ("batch", 1),
        ("batch", 3),
        ("side", 8),
        ("side", 16),
        ("side", 24),
    ]
    assert all(cost.seconds > 0 and cost.ratio[1] > 0 for cost in costs)
    first = {("epsilons", 1), ("steps", 5), ("side", 8)}
    assert all(cost.ratio == (1, 1, 1) for cost in costs if (cost.what, cost.value) in first)


def test_a_network_that_takes_one_size_only_is_measured_at_that_size(tiny, monkeypatch):
    real = tiny.module.forward

    def forward(images):
        if images.shape[-1] != 16:
            raise RuntimeError("wrong size")
        return real(images)

    monkeypatch.setattr(tiny.module, "forward", forward)
    monkeypatch.setattr(scaling, "STEPS", (1,))
    costs = measure_costs(tiny, SETTING, 1, [1])
    assert [(cost.value, cost.ratio) for cost in costs if cost.what == "side"] == [(16, (1, 1, 1))]


def test_any_other_error_is_raised(tiny, monkeypatch):
    monkeypatch.setattr(scaling, "RESTARTS", -1)
    with pytest.raises(ValueError, match="restarts"):
        measure_costs(tiny, SETTING, 1, [1])
