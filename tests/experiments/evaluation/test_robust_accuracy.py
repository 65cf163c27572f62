from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, AttackError, Threat
from explorer.classifiers import load
from explorer.experiments.evaluation import robust_accuracy as module
from explorer.experiments.evaluation.robust_accuracy import robust_accuracy, wilson
from explorer.images.gallery import samples
from explorer.images.geometry import resize_and_crop, to_uint8
from tests.small_models import grey_images, labels_of, linear_classifier


def test_wilson_against_published_values():
    """Newcombe 1998, Table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for k, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(k, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_a_linear_models_robust_accuracy_is_the_share_beyond_epsilon(monkeypatch):
    classifier = linear_classifier()
    images = (grey_images(60).clamp(0, 1) * 255).round().to(torch.uint8)
    monkeypatch.setattr(module, "BATCH_VALUES", 17 * images[0].numel())
    pixels = images.float() / 255
    truth = labels_of(classifier, pixels)
    logits, (first, second) = classifier(pixels).detach(), classifier.module.layer.weight.detach()
    distance = (logits[:, 0] - logits[:, 1]).abs() / (first - second).norm()
    truth[:6] = 1 - truth[:6]  # misclassified without an attack
    epsilons = [0.0, *distance.quantile(torch.tensor([0.2, 0.5, 0.8])).tolist()]
    rows = robust_accuracy(classifier, images, truth, "l2", epsilons, steps=40)
    for row in rows:
        expected = float((distance[6:] > row.epsilon).sum() / 60)
        one_image = 1.01 / 60  # the one at the quantile itself
        assert row.accuracy == pytest.approx(expected, abs=one_image)
        assert row.low < row.accuracy < row.high or row.accuracy == 0


def test_order_does_not_matter_and_a_larger_epsilon_never_helps():
    classifier = load("cifar10-standard", device="cpu")
    pictures = samples("cifar10")
    images = torch.stack(
        [
            torch.from_numpy(to_uint8(resize_and_crop(each.read(), (32, 32)))).permute(2, 0, 1)
            for each in pictures
        ]
    )
    labels = torch.tensor([each.label for each in pictures])
    rows = robust_accuracy(classifier, images, labels, "l2", [0.5, 0.0, 0.1, 0.2], steps=5)
    assert [row.epsilon for row in rows] == [0.5, 0.0, 0.1, 0.2]
    accuracy = {row.epsilon: row.accuracy for row in rows}
    assert accuracy[0.0] >= accuracy[0.1] >= accuracy[0.2] >= accuracy[0.5]
    assert accuracy[0.0] > accuracy[0.5]
    alone = PGD(Threat("l2", 0.5), steps=5)(classifier, images.float() / 255, labels)
    assert accuracy[0.5] <= 1 - alone.success.float().mean() + 1e-6


def test_an_l2_epsilon_beyond_any_image_is_refused():
    images = (grey_images(2).clamp(0, 1) * 255).to(torch.uint8)
    labels = torch.zeros(2, dtype=torch.int64)
    with pytest.raises(AttackError, match="L2 distance from black to white at this size; it is 1e"):
        robust_accuracy(linear_classifier(), images, labels, "l2", [0.5, 1e20])
