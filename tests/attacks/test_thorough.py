"""The thorough attack: never weaker than PGD, and each sample by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from explorer.attacks import PGD, Thorough, Threat
from explorer.attacks.thorough import RANDOM_STARTS
from explorer.attacks.threat import flat_norm
from explorer.errors import Cancelled
from tests.small_models import (
    any_images,
    grey_images,
    labels_of,
    linear_classifier,
    smooth_classifier,
)

STILL = PGD(Threat("linf", 8 / 255), steps=6, step_size=0.0, random_start=False)  # never moves
EPSILONS = {"linf": 0.01, "l2": 0.1}  # at which a part of the samples stands


def question(n=24, classes=6):
    classifier, images = smooth_classifier(classes), any_images(n)
    return classifier, images, labels_of(classifier, images)


@pytest.mark.parametrize("norm", EPSILONS)
def test_it_never_fools_fewer_samples_and_keeps_what_pgd_fooled(norm):
    classifier, images, labels = question()
    pgd = PGD(Threat(norm, EPSILONS[norm]), steps=3)
    before = pgd(classifier, images, labels)
    after = Thorough(pgd)(classifier, images, labels)
    assert 0 < before.success.sum() < len(images)
    assert (after.success | ~before.success).all()
    same = before.success | ~after.success
    assert torch.equal(after.adversarial[same], before.adversarial[same])
    assert (flat_norm(after.adversarial - images, norm) <= EPSILONS[norm] + 1e-6).all()
    assert torch.equal(after.success, labels_of(classifier, after.adversarial) != labels)


@pytest.mark.parametrize("targeted", [False, True])
def test_the_attacks_after_the_first_find_what_it_missed(targeted):
    classifier, images, labels = question()
    targets = (labels + 1) % 6 if targeted else None
    frames = {"frames": True}
    before = STILL(classifier, images, labels, targets)
    after = Thorough(STILL)(classifier, images, labels, targets, **frames)
    assert not before.success.any()
    assert after.success.sum() > 8
    predicted = labels_of(classifier, after.adversarial)
    assert torch.equal(after.success, predicted == targets if targeted else predicted != labels)
    # Its trace is as long as the first attack's, of the attack that succeeded, in the first's loss.
    trace, fooled = after.trace, after.success
    assert trace.steps == STILL.steps
    assert torch.equal(trace.success_at_kept, fooled)
    rows = torch.arange(len(images))
    assert torch.allclose(trace.frames[trace.kept, rows], after.adversarial, atol=1e-6)
    classes = labels if targets is None else targets
    loss = F.cross_entropy(trace.logits[-1], classes, reduction="none")
    assert torch.allclose(trace.loss[-1], loss if targets is None else -loss, atol=1e-5)


def test_the_nearest_class_of_a_linear_model_is_found_at_the_closed_form_radius():
    classifier, images = linear_classifier(classes=5), grey_images(8)
    labels = labels_of(classifier, images)
    weight = classifier.module.layer.weight.detach()
    logits = classifier(images)
    lead = logits.gather(1, labels[:, None]) - logits
    slope = (weight[labels][:, None] - weight[None]).norm(dim=2)
    radius = torch.where(slope > 0, lead / slope.clamp_min(1e-9), torch.inf).amin(dim=1)
    above = PGD(Threat("l2", radius * 1.01), steps=3)
    assert Thorough(above)(classifier, images, labels).success.all()
    below = replace(above, threat=Threat("l2", radius * 0.99))
    assert not Thorough(below)(classifier, images, labels).success.any()


@pytest.mark.parametrize("first", [STILL, replace(STILL, step_size=None, random_start=True)])
def test_a_sample_does_not_depend_on_its_batch(first):
    classifier, images, labels = question(8)
    first = replace(first, threat=Threat("linf", 0.012), precision="float32")
    together = Thorough(first)(classifier, images, labels)
    for i in range(len(images)):
        alone = Thorough(first)(classifier, images[i : i + 1], labels[i : i + 1])
        assert torch.equal(alone.success, together.success[i : i + 1])
        assert torch.allclose(alone.adversarial, together.adversarial[i : i + 1], atol=1e-6)


def test_the_same_again_and_the_global_random_state_stays():
    classifier, images, labels = question(6)
    state = torch.get_rng_state()
    results = [Thorough(STILL)(classifier, images, labels) for _ in range(2)]
    assert torch.equal(results[0].adversarial, results[1].adversarial)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("targeted", [False, True])
def test_progress_counts_the_steps_of_all_attacks(targeted):
    classifier, images, labels = question(6)
    targets = (labels + 1) % 6 if targeted else None
    reported = []
    attack = Thorough(replace(STILL, threat=Threat("linf", 1e-4)))
    attack(classifier, images, labels, targets, on_step=lambda *values: reported.append(values))
    done = [step for step, _, _ in reported]
    most = attack.most_steps(6, targeted=targeted)
    assert most == 6 * (1 + (1 if targeted else 5) + RANDOM_STARTS)
    assert {steps for _, steps, _ in reported} == {most}
    assert done == sorted(set(done))
    assert 12 <= done[-1] <= most


def test_it_can_be_cancelled_between_two_attacks():
    classifier, images, labels = question(6)
    calls = 0

    def cancelled():
        nonlocal calls
        calls += 1
        return calls > 9  # past the first attack

    with pytest.raises(Cancelled):
        Thorough(STILL)(classifier, images, labels, cancelled=cancelled)
