"""A linear model has closed forms: its smallest perturbation, and the best one in a ball."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.attacks.threat import flat_norm
from tests.small_models import fgsm, grey_images, labels_of, linear_classifier

DUAL = {"linf": lambda w: w.abs().sum(dim=1), "l2": lambda w: w.norm(dim=1)}


def smallest(classifier, images, labels, norm):
    """|z_y − z_other| / ‖w_y − w_other‖_dual: the distance to a binary model's decision plane."""
    logits = classifier(images)
    gap = logits.gather(1, labels[:, None]) - logits.gather(1, 1 - labels[:, None])
    weight = classifier.module.layer.weight.detach()
    return (gap.squeeze(1) / DUAL[norm]((weight[0] - weight[1])[None])).detach()


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("loss", ["ce", "cw"])
@pytest.mark.parametrize("attack", ["pgd", "fgsm"])
def test_just_above_the_smallest_perturbation_fools_and_just_below_does_not(norm, loss, attack):
    classifier, images = linear_classifier(), grey_images(32)
    labels = labels_of(classifier, images)
    distance = smallest(classifier, images, labels, norm)
    assert (distance > 0).all()
    for factor, fooled in ((1.02, True), (0.98, False)):
        threat = Threat(norm, distance * factor)
        run = PGD(threat, steps=20, loss=loss) if attack == "pgd" else fgsm(threat)
        result = run(classifier, images, labels)
        assert (result.success == fooled).all(), (factor, result.success)
        assert (flat_norm(result.adversarial - images, norm) <= threat.epsilon + 1e-6).all()


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_loss_is_the_largest_possible(norm):
    """max of wᵀδ over the ball is ε‖w‖_dual, so the margin rises by exactly that."""
    classifier, images = linear_classifier(), grey_images(8)
    labels = labels_of(classifier, images)
    weight = classifier.module.layer.weight.detach()
    epsilon = 0.02
    result = PGD(Threat(norm, epsilon), steps=30, loss="cw")(classifier, images, labels)
    logits = classifier(images).detach()
    before = (logits.gather(1, 1 - labels[:, None]) - logits.gather(1, labels[:, None])).squeeze(1)
    gain = result.trace.loss.amax(dim=0) - before
    best = epsilon * DUAL[norm]((weight[0] - weight[1])[None])
    assert (gain <= best + 1e-5).all()
    assert (gain >= 0.998 * best).all()


def test_a_target_is_reached_in_the_direction_of_its_weights():
    classifier, images = linear_classifier(classes=5), grey_images(20)
    labels = labels_of(classifier, images)
    targets = (labels + 1) % 5
    result = PGD(Threat("l2", 0.8), steps=30)(classifier, images, labels, targets)
    assert result.success.all()
    assert torch.equal(labels_of(classifier, result.adversarial), targets)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 40.0])
def test_success_does_not_depend_on_the_logits_scale(scale):
    """At scale 40 the margins pass 100, where cross-entropy's own gradient is 0 in float32."""
    images = grey_images(32, spread=0.2).clamp(0, 1)
    plain, scaled = linear_classifier(), linear_classifier(scale=scale)
    labels = labels_of(plain, images)
    assert torch.equal(labels, labels_of(scaled, images))
    threat = Threat("l2", smallest(plain, images, labels, "l2") * 1.05)
    a, b = (
        PGD(threat, steps=20)(plain, images, labels),
        PGD(threat, steps=20)(scaled, images, labels),
    )
    if scale == 40.0:
        margins = scaled(images).detach().sort(dim=1).values
        assert (margins[:, -1] - margins[:, -2]).max() > 105
    assert a.success.float().mean() > 0.9  # a few reach the limits of [0, 1]
    assert torch.equal(a.success, b.success)
