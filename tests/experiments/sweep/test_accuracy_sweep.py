"""Accuracy and confidence against ε: a closed form, what never rises, and the same as evaluate."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.datasets.labelled import LabelledImages
from explorer.errors import Cancelled
from explorer.experiments.evaluation.robust_accuracy import robust_accuracy, wilson
from explorer.experiments.sweep import set_attack
from explorer.experiments.sweep.accuracy_sweep import ABOUT_ZERO, accuracy_sweep
from explorer.experiments.sweep.set_attack import SetAttack
from explorer.ranks import Ranks
from tests.experiments.sweep.test_smallest_epsilon import distances, labelled, linear_problem


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_a_linear_models_accuracy_is_the_share_of_images_beyond_epsilon(norm):
    classifier, data = linear_problem(40)
    distance = distances(classifier, data, norm).sort().values
    # Halfway between two images: none is so near that the attack's precision matters.
    epsilons = [0.0, *(float(distance[k - 1] + distance[k]) / 2 for k in (8, 20, 36))]
    rows = accuracy_sweep(classifier, data, SetAttack(norm, steps=40), epsilons)
    assert [row.epsilon for row in rows] == epsilons
    assert [row.accuracy for row in rows] == [1.0, 32 / 40, 20 / 40, 4 / 40]
    assert [(row.low, row.high) for row in rows] == [wilson(k, 40) for k in (40, 32, 20, 4)]
    assert {row.n for row in rows} == {40}


def test_confidence_at_zero_is_that_of_the_clean_images():
    classifier, data = linear_problem(9)
    (row,) = accuracy_sweep(classifier, data, SetAttack("l2"), [0.0])
    probabilities = classifier(set_attack.pixels_of(data.images)).detach().softmax(dim=1)
    of_label = probabilities.gather(1, data.labels[:, None])
    assert row.confidence == pytest.approx(float(of_label.mean()), rel=1e-5)


def test_accuracy_and_confidence_never_rise_and_accuracy_is_that_of_evaluate(
    bundled_classifier, gallery_images
):
    data = labelled(gallery_images[0][:5], gallery_images[1][:5])
    epsilons = [0.0, 0.1, 0.2, 0.3]
    rows = accuracy_sweep(bundled_classifier, data, SetAttack("l2", steps=4), epsilons)
    accuracy, confidence = [row.accuracy for row in rows], [row.confidence for row in rows]
    assert accuracy == sorted(accuracy, reverse=True)
    assert confidence == sorted(confidence, reverse=True)
    assert accuracy[0] > accuracy[-1]
    evaluated = robust_accuracy(
        bundled_classifier, data.images, data.labels, "l2", epsilons, steps=4
    )
    assert accuracy == pytest.approx([row.accuracy for row in evaluated], abs=1 / 5 + 1e-9)


def test_a_sweep_without_end_stops_where_nothing_is_right():
    classifier, data = linear_problem(12)
    epsilons = [0.0, 0.01, 100.0**0.5, 10.2, 10.3]
    rows = accuracy_sweep(classifier, data, SetAttack("l2"), epsilons, until_zero=True)
    assert len(rows) == 3
    assert rows[-1].accuracy <= ABOUT_ZERO < rows[-2].accuracy


def test_the_rows_do_not_depend_on_batches_or_ranks(monkeypatch):
    classifier, data = linear_problem(11)
    attack, epsilons = SetAttack("l2", steps=4), [0.0, 0.05, 0.2]
    whole = accuracy_sweep(classifier, data, attack, epsilons)
    monkeypatch.setattr(set_attack, "BATCH_VALUES", 3 * data.images[0].numel())
    partial: list[int] = []
    cut = accuracy_sweep(
        classifier, data, attack, epsilons, on_rows=lambda rows: partial.append(rows[0].n)
    )
    assert [(row.accuracy, row.n) for row in cut] == [(row.accuracy, row.n) for row in whole]
    assert partial == [3, 3, 3, 6, 9, 11]
    shares: list[object] = []
    monkeypatch.setattr(Ranks, "gather", lambda self, value: shares.append(value) or [*shares])
    for rank in range(2):
        ranked = accuracy_sweep(classifier, data, attack, epsilons, ranks=Ranks(rank, 2))
    assert ranked == cut


def test_images_that_an_attack_has_nothing_to_add_to_cost_nothing():
    classifier, data = linear_problem(5)
    calls: list[tuple[int, int]] = []
    accuracy_sweep(
        classifier,
        data,
        SetAttack("l2", steps=3),
        [0.0, 10.0, 10.1, 10.2],
        on_progress=lambda *call: calls.append(call),
    )
    done = [done for done, _ in calls]
    assert done == sorted(done)
    assert calls[-1] == (12, 12)
    assert {9, 10, 11}.isdisjoint(done)  # the last ε: every image was settled before


def test_mistakes_and_cancelling():
    classifier, data = linear_problem(2)
    with pytest.raises(AttackError, match="L2 distance from black to white at this size"):
        accuracy_sweep(classifier, data, SetAttack("l2"), [0.0, 1e6])
    with pytest.raises(AttackError, match="at least 0"):
        accuracy_sweep(classifier, data, SetAttack("linf"), [-0.1])
    with pytest.raises(Cancelled):
        accuracy_sweep(classifier, data, SetAttack("l2"), [0.0], cancelled=lambda: True)


def test_a_radius_for_each_image_and_stopping_on_success_go_together():
    """All of them succeed at once, which leaves an attack without rows."""
    classifier, data = linear_problem(3)
    epsilon = torch.tensor([5.0, 5.0, 5.0])
    attack = SetAttack("l2", steps=3).at(epsilon, stop_on_success=True)
    result = attack(classifier, set_attack.pixels_of(data.images), data.labels)
    assert bool(result.success.all())


def test_labels_may_be_wrong_from_the_start():
    classifier, data = linear_problem(4)
    wrong = LabelledImages(data.images, 1 - data.labels, data.names)
    rows = accuracy_sweep(classifier, wrong, SetAttack("l2"), [0.0, 0.1])
    assert [row.accuracy for row in rows] == [0.0, 0.0]
