"""The walk along the decision boundary: closed form of a linear model, and never farther away."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks.threat import flat_norm, per_sample
from explorer.engine import logits_of
from explorer.errors import Cancelled
from explorer.experiments.sweep.boundary_walk import walk_along_boundary
from tests.small_models import grey_images, labels_of, linear_classifier


def start(norm="l2"):
    """A linear classifier, images, labels, and misclassified images a little too far away."""
    classifier = linear_classifier(classes=2)
    images = grey_images(4)
    labels = labels_of(classifier, images)
    weight = classifier.module.layer.weight.detach()
    slope = weight[1 - labels] - weight[labels]
    logits = classifier(images).detach()
    margin = logits.gather(1, labels[:, None]) - logits.gather(1, 1 - labels[:, None])
    if norm == "l2":
        nearest = slope * margin / slope.square().sum(dim=1, keepdim=True)
    else:
        nearest = slope.sign() * margin / slope.abs().sum(dim=1, keepdim=True)
    nearest = nearest.view_as(images)
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(3)) - 0.5
    noise *= per_sample(flat_norm(nearest, norm) / flat_norm(noise, norm), noise)
    adversarial = (images + 1.3 * nearest + 0.2 * noise).clamp(0, 1)
    assert bool((logits_of(classifier, adversarial).argmax(dim=1) != labels).all())
    return classifier, images, labels, adversarial


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_ends_at_the_closed_form_of_a_linear_model(norm):
    classifier, images, labels, adversarial = start(norm)
    nearest = walk_along_boundary(classifier, norm, images, labels, adversarial)
    logits = classifier(images).detach()
    weight = classifier.module.layer.weight.detach()
    slope = (weight[0] - weight[1]).norm(p={"l2": 2, "linf": 1}[norm])
    exact = (logits[:, 0] - logits[:, 1]).abs() / slope
    distance = flat_norm(nearest - images, norm)
    assert (distance / exact).tolist() == pytest.approx([1.0] * 4, abs=0.005)
    assert (distance <= flat_norm(adversarial - images, norm)).all()
    # It ends on the boundary itself: the last bits of a batch of another size may differ.
    logits = logits_of(classifier, nearest)
    margin = logits.gather(1, 1 - labels[:, None]) - logits.gather(1, labels[:, None])
    assert margin.min() > -1e-5


def test_it_can_be_cancelled():
    classifier, images, labels, adversarial = start()
    with pytest.raises(Cancelled):
        walk_along_boundary(classifier, "l2", images, labels, adversarial, lambda: True)
