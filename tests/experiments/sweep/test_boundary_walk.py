"""The walk along the decision boundary: closed form of a linear model, and never farther away."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks.threat import flat_norm
from explorer.engine import logits_of
from explorer.errors import Cancelled
from explorer.experiments.sweep.boundary_walk import walk_along_boundary
from tests.small_models import grey_images, labels_of, linear_classifier


def start():
    """A linear classifier, images, labels, and misclassified images far beyond the boundary."""
    classifier = linear_classifier(classes=2)
    images = grey_images(4)
    labels = labels_of(classifier, images)
    weight = classifier.module.layer.weight.detach()
    way = (weight[1 - labels] - weight[labels]).view_as(images)
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(3))
    for length in torch.logspace(-4, 1, 200):
        away = images + length * (way / way.flatten(1).norm(dim=1).amax() + 0.02 * noise)
        if bool((logits_of(classifier, away).argmax(dim=1) != labels).all()):
            return classifier, images, labels, away.clamp(0, 1)
    raise AssertionError("nothing on the way is misclassified")


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_it_ends_at_the_closed_form_of_a_linear_model(norm):
    classifier, images, labels, adversarial = start()
    nearest = walk_along_boundary(classifier, norm, images, labels, adversarial)
    logits = classifier(images).detach()
    weight = classifier.module.layer.weight.detach()
    slope = (weight[0] - weight[1]).norm(p={"l2": 2, "linf": 1}[norm])
    exact = (logits[:, 0] - logits[:, 1]).abs() / slope
    distance = flat_norm(nearest - images, norm)
    assert (distance / exact).tolist() == pytest.approx([1.0] * 4, abs=0.005)
    assert (distance <= flat_norm(adversarial - images, norm)).all()
    assert bool((logits_of(classifier, nearest).argmax(dim=1) != labels).all())


def test_it_can_be_cancelled():
    classifier, images, labels, adversarial = start()
    with pytest.raises(Cancelled):
        walk_along_boundary(classifier, "l2", images, labels, adversarial, lambda: True)
