"""The rule "momentum": Polyak's heavy ball, computed by hand, and what holds of every rule."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from explorer.attacks import PGD, AttackError, Threat
from explorer.attacks.settings import DECAY, HEAVY_BALL, LONGEST_SCALE, MOMENTUM
from tests.small_models import any_images, labels_of, linear_classifier, smooth_classifier

EPSILON = 0.02
ATTACK = PGD(Threat("linf", EPSILON), steps=8, rule=MOMENTUM, precision="float32")


def question(n=12):
    classifier, images = smooth_classifier(), any_images(n)
    return classifier, images, labels_of(classifier, images)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_each_step_adds_a_share_of_the_one_before(norm):
    classifier, images, labels = question(4)
    threat = Threat(norm, EPSILON if norm == "linf" else 0.3)
    frames = replace(ATTACK, threat=threat)(classifier, images, labels, frames=True).trace.frames
    assert torch.allclose(frames[0], images, atol=1e-6)  # it begins at the image itself
    for step in range(1, 8):
        leaf = frames[step].clone().requires_grad_(True)
        logits = classifier(leaf)
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, leaf)
        scale = min(LONGEST_SCALE, 2.5 / (step + 1) ** DECAY)
        ahead = threat.normalized_gradient(gradient) * scale * threat.epsilon
        moved = frames[step] + ahead + HEAVY_BALL * (frames[step] - frames[step - 1])
        expected = (images + threat.project(moved - images)).clamp(0, 1)
        assert torch.allclose(frames[step + 1], expected, atol=2e-5)


def test_a_longer_attack_continues_a_shorter_one_and_is_no_weaker():
    classifier, images, labels = question()
    results = [
        replace(ATTACK, steps=steps)(classifier, images, labels, frames=True)
        for steps in (3, 8, 20)
    ]
    for shorter, longer in pairwise(results):
        steps = shorter.trace.steps
        assert torch.equal(longer.trace.frames[: steps + 1], shorter.trace.frames)
        assert (longer.success | ~shorter.success).all()
        same = longer.success == shorter.success
        kept = [r.trace.loss.gather(0, r.trace.kept[None])[0][same] for r in (shorter, longer)]
        assert (kept[1] >= kept[0]).all()


@pytest.mark.parametrize("restarts", [1, 3])
def test_stopping_on_success_and_batches_change_no_success(restarts):
    classifier, images, labels = question()
    attack = replace(ATTACK, restarts=restarts, threat=Threat("linf", 0.008))
    together = attack(classifier, images, labels)
    assert 0 < together.success.sum() < len(images)
    stopped = replace(attack, stop_on_success=True)(classifier, images, labels)
    assert torch.equal(stopped.success, together.success)
    for i in (0, 5, 11):
        alone = attack(classifier, images[i : i + 1], labels[i : i + 1])
        # Where the sum of a pixel's gradient is near 0, the batch may decide its sign.
        differs = (alone.adversarial - together.adversarial[i : i + 1]).abs() > 1e-6
        assert differs.float().mean() < 0.01


def test_later_restarts_begin_at_random():
    classifier, images, labels = question(3)
    seen = []
    attack = replace(ATTACK, restarts=2, steps=1)
    attack(classifier, images, labels, on_image=lambda step, points: seen.append(points.clone()))
    first, second = seen[0][:3], seen[0][3:]
    assert torch.allclose(first, images, atol=1e-6)
    assert (second - images).abs().amax() > EPSILON / 2


def test_one_step_is_fgsm_on_a_linear_model():
    classifier, images = linear_classifier(classes=2), 0.5 + 0.1 * (any_images(5) - 0.5)
    labels = labels_of(classifier, images)
    fgsm = PGD(Threat("linf", EPSILON), steps=1, step_size=EPSILON, random_start=False)
    by_momentum = replace(ATTACK, steps=1)(classifier, images, labels)
    by_fgsm = fgsm(classifier, images, labels)
    assert torch.allclose(by_momentum.adversarial, by_fgsm.adversarial, atol=1e-6)


def test_a_rule_that_there_is_not_is_refused():
    with pytest.raises(AttackError, match="rule"):
        replace(ATTACK, rule="nesterov")
