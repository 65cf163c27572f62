"""Whether a batch is evaluated whole or in parts is a matter of time and never of the result."""

from itertools import groupby

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.attacks.objective import Objective
from explorer.classifiers import load
from explorer.engine import gradient_model
from explorer.engine import strategies as engine_strategies
from explorer.engine.strategies import (
    MAX_INTERVAL,
    MIN_INTERVAL,
    StrategyTuner,
    run_quickest,
)
from tests.threads import threads


@pytest.fixture(autouse=True)
def no_measurements(monkeypatch):
    monkeypatch.setattr(engine_strategies, "_kinds", type(engine_strategies._kinds)())


def choices(tuner, evaluations, whole, parts):
    """Which ``evaluations`` are data-parallel, where the two strategies take so long."""
    chosen = []
    for _ in range(evaluations):
        data_parallel = tuner.data_parallel()
        tuner.record(data_parallel, parts if data_parallel else whole)
        chosen.append(data_parallel)
    return chosen


def test_both_strategies_are_tried_twice_before_one_is_chosen():
    expected = [False] * 2 + [True] * 2 + [False] * 4
    assert choices(StrategyTuner(), 8, whole=1.0, parts=1.5) == expected


def test_the_slower_strategy_is_tried_again_ever_more_seldom():
    chosen = choices(StrategyTuner(), 1000, whole=1.2, parts=1.0)
    runs = [(strategy, len(list(group))) for strategy, group in groupby(chosen[4:])]
    assert {length for strategy, length in runs if not strategy} == {1}
    parts = [length for strategy, length in runs if strategy][:-1]
    assert parts[:4] == [MIN_INTERVAL, 2 * MIN_INTERVAL, 4 * MIN_INTERVAL, MAX_INTERVAL]
    assert set(parts[4:]) == {MAX_INTERVAL}


def test_one_outlier_changes_nothing_and_several_do():
    tuner = StrategyTuner()
    choices(tuner, 10, whole=1.0, parts=1.4)
    tuner.record(False, 100.0)
    assert not tuner.data_parallel()
    tuner.record(False, 100.0)
    assert tuner.data_parallel()


def test_an_idle_machine_brings_the_first_strategy_back():
    tuner = StrategyTuner()
    choices(tuner, 40, whole=9.0, parts=1.5)
    assert tuner.chosen
    chosen = choices(tuner, MAX_INTERVAL + 20, whole=1.0, parts=1.4)
    first = chosen.index(False)  # from there on it is tried each time, since it is the quicker one
    assert not any(chosen[first : first + 15])
    assert not tuner.chosen


def test_a_probe_that_is_slow_ends_at_once():
    tuner = StrategyTuner()
    choices(tuner, 4 + 2 * MIN_INTERVAL, whole=1.0, parts=1.4)
    assert tuner.data_parallel()
    tuner.record(True, 1.4)
    assert not tuner.data_parallel()


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Owner:
    """What evaluations are remembered by."""


def strategies(evaluations, equal, seconds_as_a_whole, prefer_parts=False):
    """Which strategy made each evaluation; the first is made both ways. Parts take 1 s."""
    clock, used, owner = Clock(), [], Owner()

    def evaluate(strategy, seconds):
        used.append(strategy)
        clock.now += seconds
        return 7

    for _ in range(evaluations):
        result = run_quickest(
            owner,
            "kind",
            2,
            lambda: evaluate("whole", seconds_as_a_whole),
            lambda _: [lambda: evaluate("parts", 1.0)],
            lambda parts: parts[0],
            lambda one, other: equal,
            clock,
            prefer_parts=prefer_parts,
        )
        assert result == 7
    return used


def test_what_is_slower_as_a_whole_is_made_in_parts():
    with threads(2):
        used = strategies(20, equal=True, seconds_as_a_whole=5.0)
    assert used[:2] == ["whole", "parts"]  # the first evaluation, both ways
    assert used[2:6] == ["whole"] * 2 + ["parts"] * 2
    assert used[7:14] == ["parts"] * 7


def test_what_would_differ_is_never_made_in_parts_again():
    with threads(2):
        used = strategies(20, equal=False, seconds_as_a_whole=5.0)
    assert used == ["whole", "parts"] + ["whole"] * 19


def test_what_would_differ_is_made_in_parts_alone_where_they_are_preferred():
    with threads(2):
        used = strategies(20, equal=False, seconds_as_a_whole=0.1, prefer_parts=True)
    assert used == ["whole", "parts"] + ["parts"] * 19


def test_one_thread_evaluates_as_a_whole():
    with threads(1):
        assert strategies(5, equal=True, seconds_as_a_whole=5.0) == ["whole"] * 5


def example(n, precision, targeted=False):
    classifier = load("cifar10-standard", device="cpu")
    surrogate, _ = gradient_model(classifier, precision)
    images = torch.rand(n, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    labels = classifier(images).argmax(dim=1)
    objective = Objective("ce", labels, (labels + 1) % 10 if targeted else None)
    return surrogate, objective, images


def assert_same_bits(one, other):
    for a, b in zip(one, other, strict=True):
        assert (a is None and b is None) or torch.equal(a, b)


@pytest.mark.parametrize("n", [1, 3, 8, 20])
@pytest.mark.parametrize("with_gradient", [True, False])
def test_both_strategies_give_the_same_bits(n, with_gradient, monkeypatch):
    surrogate, objective, images = example(n, "bfloat16", targeted=n == 3)
    evaluate = objective if with_gradient else objective.without_gradient
    with threads(1):
        expected = evaluate(surrogate, images)
    for data_parallel in (False, True):
        monkeypatch.setattr(StrategyTuner, "data_parallel", lambda self, it=data_parallel: it)
        with threads(2):
            for _ in range(2):
                result = evaluate(surrogate, images)
                assert torch.equal(result.logits, expected.logits)
                torch.testing.assert_close(result.loss, expected.loss)
                if with_gradient:
                    assert torch.equal(result.gradient, expected.gradient)


@pytest.mark.parametrize("n", [1, 3, 8, 20])
def test_in_float32_the_strategy_does_not_change_the_bits_either(n, monkeypatch):
    surrogate, objective, images = example(n, "folded")
    with threads(2):
        first = objective(surrogate, images)
        for data_parallel in (False, True):
            monkeypatch.setattr(StrategyTuner, "data_parallel", lambda self, it=data_parallel: it)
            assert_same_bits(objective(surrogate, images), first)


@pytest.mark.parametrize("precision", ["float32", "folded", "bfloat16"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", ["cifar10-standard", "cifar10-robust", "tiny12-standard"])
def test_an_attack_of_one_image_is_the_same_on_one_thread_and_on_more(name, norm, precision):
    classifier = load(name, device="cpu")
    shape = (1, 3, *classifier.input_size)
    images = torch.rand(shape, generator=torch.Generator().manual_seed(2))
    labels = classifier(images).argmax(dim=1)
    attack = PGD(Threat(norm, 2 / 255 if norm == "linf" else 0.2), steps=6, precision=precision)
    results = []
    for n in (1, 2, 4):
        with threads(n):
            results.append(attack(classifier, images, labels, frames=True))
    for result in results[1:]:
        assert torch.equal(result.adversarial, results[0].adversarial)
        assert torch.equal(result.logits, results[0].logits)
        for field in ("loss", "logits", "gradient_norm", "distance", "frames"):
            ours, first = getattr(result.trace, field), getattr(results[0].trace, field)
            assert torch.equal(ours, first), field


@pytest.mark.parametrize(("precision", "n"), [("bfloat16", 5), ("bfloat16", 40), ("folded", 40)])
def test_a_batch_has_the_same_gradients_on_one_thread_and_on_more(precision, n):
    surrogate, objective, images = example(n, precision)
    results = []
    for count in (1, 2, 3):
        with threads(count):
            results.append(objective(surrogate, images))
    for result in results[1:]:
        assert torch.equal(result.logits, results[0].logits)
        assert torch.equal(result.gradient, results[0].gradient)
