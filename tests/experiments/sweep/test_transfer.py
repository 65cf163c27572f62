"""The transfer matrix, where it can be counted by hand."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.classifiers import load
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.sweep import set_attack
from explorer.experiments.sweep.set_attack import SetAttack, pixels_of
from explorer.experiments.sweep.transfer import transfer_matrix
from explorer.ranks import Ranks
from tests.experiments.sweep.test_smallest_epsilon import distances, linear_problem
from tests.small_models import labels_of, linear_classifier


def problem(count: int):
    """A linear classifier, itself with larger logits, and one that has nothing to do with it."""
    classifier, data = linear_problem(count)
    others = [classifier, linear_classifier(scale=7.0), linear_classifier(seed=5)]
    return others, data, distances(classifier, data, "l2")


def test_an_attack_on_a_linear_model_fools_its_double_and_hardly_an_orthogonal_one():
    classifiers, data, distance = problem(16)
    epsilon = float(distance.max()) * 1.05
    cells = transfer_matrix(classifiers, [data] * 3, SetAttack("l2"), epsilon)
    assert [(cell.row, cell.column) for cell in cells] == [
        (i, j) for i in range(3) for j in range(3)
    ]
    rates = [[cells[3 * i + j].rate for j in range(3)] for i in range(3)]
    assert rates[0][:2] == rates[1][:2] == [1.0, 1.0]
    right = [labels_of(each, pixels_of(data.images)) == data.labels for each in classifiers]
    for cell in cells:
        assert cell.n == int((right[cell.row] & right[cell.column]).sum())
        assert cell.rate is not None
        assert (cell.low, cell.high) == wilson(round(cell.rate * cell.n), cell.n)
    assert rates[0][2] < 0.7


def test_epsilon_zero_fools_none_and_what_neither_gets_right_is_not_counted():
    classifiers, data, _ = problem(5)
    pair = classifiers[:2]
    assert {cell.rate for cell in transfer_matrix(pair, [data] * 2, SetAttack("l2"), 0.0)} == {0.0}
    wrong = LabelledImages(data.images, 1 - data.labels, data.names)
    (own, *_) = transfer_matrix(pair, [wrong] * 2, SetAttack("l2"), 0.5)
    assert (own.n, own.rate, own.low, own.high) == (0, None, 0.0, 1.0)


def test_batches_and_ranks_change_nothing(monkeypatch):
    classifiers, data, distance = problem(7)
    epsilon, attack = float(distance.median()), SetAttack("l2", steps=4)
    whole = transfer_matrix(classifiers, [data] * 3, attack, epsilon)
    monkeypatch.setattr(set_attack, "BATCH_VALUES", 2 * data.images[0].numel())
    calls: list[tuple[int, int]] = []
    cut = transfer_matrix(
        classifiers, [data] * 3, attack, epsilon, on_progress=lambda *call: calls.append(call)
    )
    assert cut == whole
    assert calls[-1] == (4 * 3 * 4, 4 * 3 * 4)
    shares: list[object] = []
    monkeypatch.setattr(Ranks, "gather", lambda self, value: shares.append(value) or [*shares])
    for rank in range(2):
        ranked = transfer_matrix(classifiers, [data] * 3, attack, epsilon, ranks=Ranks(rank, 2))
    assert ranked == whole


def test_classifiers_that_take_images_of_other_sizes_are_refused():
    classifier, data = linear_problem(1)
    other = load("cifar10-standard", device="cpu")
    with pytest.raises(AttackError, match="6 × 6 and cifar10-standard 32 × 32"):
        transfer_matrix([classifier, other], [data, data], SetAttack("l2"), 0.1)


def test_the_classifiers_may_number_the_classes_differently():
    classifier, data = linear_problem(6)
    swapped = linear_classifier()
    layer = swapped.module.layer
    layer.weight.data, layer.bias.data = layer.weight.data.flip(0), layer.bias.data.flip(0)
    other = LabelledImages(data.images, 1 - data.labels, data.names)
    cells = transfer_matrix([classifier, swapped], [data, other], SetAttack("l2"), 5.0)
    assert torch.tensor([cell.rate for cell in cells]).tolist() == [1.0] * 4
