"""The rule "momentum", computed by hand, and what holds of every rule."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from explorer.attacks import PGD, AttackError, Threat
from explorer.attacks.loop import AttackBatch
from explorer.attacks.momentum import DECAY, LONGEST_SCALE, Momentum
from explorer.attacks.settings import MOMENTUM
from tests.small_models import any_images, labels_of, linear_classifier, smooth_classifier

EPSILON = 0.02
ATTACK = PGD(Threat("linf", EPSILON), steps=8, rule=MOMENTUM, precision="float32")


def question(n=12):
    classifier, images = smooth_classifier(), any_images(n)
    return classifier, images, labels_of(classifier, images)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_each_step_follows_the_average_and_is_partly_taken_again(norm):
    classifier, images, labels = question(4)
    threat = Threat(norm, EPSILON if norm == "linf" else 0.3)
    frames = replace(ATTACK, threat=threat)(classifier, images, labels, frames=True).trace.frames
    assert torch.allclose(frames[0], images, atol=1e-6)  # it begins at the image itself
    average, before = torch.zeros_like(images), images
    for step in range(8):
        leaf = frames[step].clone().requires_grad_(True)
        logits = classifier(leaf)
        loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, leaf)
        average = DECAY * average + gradient / gradient.abs().mean(dim=(1, 2, 3), keepdim=True)
        scale = min(LONGEST_SCALE, 2.5 / (step + 1))
        moved = frames[step] + threat.normalized_gradient(average) * scale * threat.epsilon
        reached = (images + threat.project(moved - images)).clamp(0, 1)
        share = min(0.9, (step + 1) / (step + 6))
        ahead = reached + share * (reached - before)
        expected = (images + threat.project(ahead - images)).clamp(0, 1)
        # Rounding can turn the sign of a pixel whose average is near 0.
        differs = (frames[step + 1] - expected).abs() > 2e-5
        assert differs.float().mean() < 0.005
        before = reached


def test_a_gradient_of_zero_moves_nothing():
    images = any_images(2)
    batch = AttackBatch.of(ATTACK, images, torch.zeros(2, dtype=torch.int64), None)
    momentum = Momentum.at(images)
    moved = momentum.step(batch, images, torch.zeros_like(images), 1.0, 0.5)
    assert torch.allclose(moved, images, atol=1e-6)


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
