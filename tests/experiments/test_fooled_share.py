"""Shares that can be counted by hand."""

from __future__ import annotations

import pytest
import torch

from explorer.datasets.labelled import LabelledImages
from explorer.errors import Cancelled
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.fooled_share import fooled_share, predictions
from explorer.experiments.sweep import set_attack
from tests.experiments.sweep.test_smallest_epsilon import linear_problem


def test_what_was_wrong_before_is_not_counted():
    classifier, data = linear_problem(9)
    labels = data.labels.clone()
    labels[:4] = 1 - labels[:4]
    wrong = LabelledImages(data.images, labels, data.names)
    share = fooled_share("linear", classifier, wrong, lambda pixels, positions: pixels)
    assert (share.fooled, share.n, share.rate) == (0, 5, 0.0)
    assert share.interval == wilson(0, 5)
    assert share.row()["high"] == wilson(0, 5)[1]


def test_a_target_counts_the_images_of_other_classes_that_reach_it():
    classifier, data = linear_problem(9)
    other = data.images[data.labels == 0][:1].float() / 255
    change = lambda pixels, positions: other.expand_as(pixels)  # noqa: E731
    share = fooled_share("linear", classifier, data, change, target=0)
    assert share.n == int((data.labels == 1).sum())
    assert share.fooled == share.n


def test_no_image_has_no_rate():
    classifier, data = linear_problem(3)
    wrong = LabelledImages(data.images, 1 - data.labels, data.names)
    share = fooled_share("linear", classifier, wrong, lambda pixels, positions: pixels)
    assert (share.n, share.rate, share.interval) == (0, None, (0.0, 1.0))


def test_batches_change_nothing_and_positions_are_those_of_the_images(monkeypatch):
    classifier, data = linear_problem(7)
    whole = predictions(classifier, data.images)
    monkeypatch.setattr(set_attack, "BATCH_VALUES", 2 * data.images[0].numel())
    positions: list[int] = []

    def change(pixels: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        positions.extend(rows.tolist())
        return pixels

    assert torch.equal(predictions(classifier, data.images, change), whole)
    assert positions == list(range(7))


def test_it_can_be_cancelled():
    classifier, data = linear_problem(3)
    with pytest.raises(Cancelled):
        predictions(classifier, data.images, cancelled=lambda: True)
