"""The checks find what is wrong with a network, and nothing wrong with the bundled ones."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.classifiers import Classifier, load
from explorer.experiments.trust import TrustCheck, check_attack
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from tests.experiments.trust.nets import Dropping, Rounded, Scaled, Softmaxed, Wrapped, wrapped
from tests.small_models import grey_images, labels_of, linear_classifier

USUAL = [("linf", 2 / 255), ("linf", 8 / 255), ("l2", 0.25), ("l2", 0.5)]


def pictures(classifier: Classifier, count: int) -> torch.Tensor:
    chosen = samples(classifier.gallery)[:count]
    return torch.stack([preprocess(each.read(), classifier) for each in chosen])


def codes(classifier: Classifier, images: torch.Tensor, attack: PGD, **options) -> set[str]:
    labels = labels_of(classifier, images)
    result = attack(classifier, images, labels)
    caveats = check_attack(classifier, images, labels, attack, result, **options)
    return {caveat.code for caveat in caveats}


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Rounded, "zero-gradient"),
        (Dropping, "random-outputs"),
        (Softmaxed, "probabilities"),
        (Scaled, "saturated"),
    ],
)
def test_a_network_that_only_seems_robust_is_flagged(
    kind: type[Wrapped], code: str, count: int
) -> None:
    classifier = wrapped(load("cifar10-standard"), kind)
    attack = PGD(Threat("linf", 4 / 255), steps=10)
    assert code in codes(classifier, pictures(classifier, count), attack)


@pytest.mark.parametrize("name", ["cifar10-standard", "cifar10-robust"])
@pytest.mark.parametrize(("norm", "epsilon"), USUAL)
def test_a_bundled_classifier_is_not_flagged(name: str, norm: str, epsilon: float) -> None:
    classifier = load(name)
    assert not codes(classifier, pictures(classifier, 5), PGD(Threat(norm, epsilon), steps=20))


@pytest.mark.parametrize("name", ["tiny12-standard", "tiny12-robust"])
@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 4 / 255), ("l2", 1.0)])
def test_each_picture_alone_is_not_flagged(name: str, norm: str, epsilon: float) -> None:
    classifier = load(name)
    for image in pictures(classifier, 3):
        assert not codes(classifier, image[None], PGD(Threat(norm, epsilon), steps=20))


def test_a_single_step_that_does_better_is_named() -> None:
    classifier, image = linear_classifier(scale=5.0), grey_images(1)
    logits, weight = classifier(image)[0].detach(), classifier.module.layer.weight.detach()
    needed = float((logits[0] - logits[1]).abs() / (weight[0] - weight[1]).abs().sum())
    threat = Threat("linf", 1.5 * needed)
    few = PGD(threat, steps=5, step_size=0.1 * needed, random_start=False)
    assert "one-step-better" in codes(classifier, image, few)
    enough = PGD(threat, steps=15, step_size=0.1 * needed, random_start=False)
    assert not codes(classifier, image, enough)


def test_the_checks_change_no_attack_and_no_global_random_state() -> None:
    classifier = load("cifar10-standard")
    images = pictures(classifier, 3)
    labels, attack = labels_of(classifier, images), PGD(Threat("l2", 0.25), steps=5)
    state = torch.get_rng_state()
    before = attack(classifier, images, labels)
    check = TrustCheck(classifier)
    check.add(images, labels, attack, before)
    after = attack(classifier, images, labels)
    assert torch.equal(before.adversarial, after.adversarial)
    assert torch.equal(state, torch.get_rng_state())


def test_extra_passes_see_no_more_than_the_sample() -> None:
    classifier = load("cifar10-standard")
    images = pictures(classifier, 4)
    labels, attack = labels_of(classifier, images), PGD(Threat("l2", 0.25), steps=2)
    result = attack(classifier, images, labels)
    check = TrustCheck(classifier, sample=3)
    check.add(images[:2], labels[:2], attack, attack(classifier, images[:2], labels[:2]))
    check.add(images, labels, attack, result)
    check.add(images, labels, attack, result)
    assert (check.evidence.images, check.evidence.checked) == (10, 3)
