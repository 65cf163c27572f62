"""Equal strength: the fewest of our steps, verified by the classifier, and no timing decides."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from explorer.attacks import PGD, Threat
from explorer.benchmarks.baselines import BASELINES, Baseline, Setting
from explorer.benchmarks.strength import (
    MOST_STEPS,
    Strength,
    measure_strength,
    random_targets,
)
from tests.benchmarks.tiny import tiny_classifier

SETTING = Setting(epsilon=8 / 255)


def library(attack, name="torchattacks", package="torch"):
    """A library whose attack is ``attack(classifier, setting)`` of images and classes."""
    return Baseline(name, (package,), lambda _, classifier, setting: attack(classifier, setting))


def ours_with(steps, targeted=False):
    """Our own attack with another number of steps, in place of another library's."""

    def attack(classifier, setting):
        def run(images, classes):
            pgd = PGD(Threat(setting.norm, setting.epsilon), steps=steps)
            labels = classifier(images).argmax(dim=1)
            return pgd(classifier, images, labels, classes if targeted else None).adversarial

        return run

    return library(attack)


@pytest.fixture
def question():
    classifier = tiny_classifier()
    images = torch.rand(6, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    return classifier, images, classifier(images).argmax(dim=1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("targeted", [False, True])
def test_the_fewest_steps_to_our_own_strength_are_found(question, norm, targeted):
    classifier, images, labels = question
    setting = replace(SETTING, norm=norm, targeted=targeted)
    case = measure_strength(
        *question, setting, baseline_steps=[1], baselines=[ours_with(4, targeted)]
    )
    (comparison,) = case.comparisons
    assert comparison.problem == ""
    assert all(each.strength.reaches(comparison.strength) for each in comparison.ours.values())
    plain = comparison.ours["plain"]
    assert plain.steps <= 4
    assert case.images == 6
    pgd = PGD(Threat(norm, setting.epsilon), steps=4)
    targets = random_targets(labels, 10) if targeted else None
    logits = classifier(pgd(classifier, images, labels, targets).adversarial)
    expected = (
        F.cross_entropy(logits, labels) if not targeted else -F.cross_entropy(logits, targets)
    )
    assert comparison.strength.loss == pytest.approx(float(expected), abs=1e-5)
    if plain.steps > 1:
        fewer = PGD(Threat(norm, setting.epsilon), steps=plain.steps - 1)
        logits = classifier(fewer(classifier, images, labels, targets).adversarial)
        classes = labels if targets is None else targets
        sign = 1 if targets is None else -1
        success = (logits.argmax(dim=1) == classes) == targeted
        weaker = Strength(
            sign * float(F.cross_entropy(logits, classes)), float(success.float().mean())
        )
        assert not weaker.reaches(comparison.strength)


def test_a_strength_out_of_reach_is_said(question):
    black = library(lambda *_: lambda pixels, classes: torch.zeros_like(pixels) - 50)
    case = measure_strength(*question, replace(SETTING, epsilon=1e-6), baselines=[black])
    assert [each.steps for each in case.comparisons] == [10, 40, 100]
    for comparison in case.comparisons:
        for rule, ours in comparison.ours.items():
            assert ours.steps is None
            assert ours.strength == case.curves[rule][MOST_STEPS]


def test_an_attack_that_changes_nothing_is_reached_at_once(question):
    identity = library(lambda *_: lambda pixels, classes: pixels)
    case = measure_strength(*question, SETTING, baseline_steps=[10], baselines=[identity])
    (comparison,) = case.comparisons
    assert [each.steps for each in comparison.ours.values()] == [1, 1]
    assert comparison.strength.success == 0


def test_times_are_medians_of_interleaved_rounds(question):
    now = 0.0

    def slow(classifier, setting):
        def run(pixels, classes):
            nonlocal now
            now += setting.steps
            return pixels

        return run

    def clock():
        nonlocal now
        now += 0.5  # of ours: nothing else moves this clock
        return now

    case = measure_strength(
        *question, SETTING, rounds=3, baseline_steps=[10], baselines=[library(slow)], clock=clock
    )
    (comparison,) = case.comparisons
    assert comparison.seconds == 10.5
    assert {(each.seconds, each.ratio) for each in comparison.ours.values()} == {(0.5, 21.0)}


def test_a_library_that_fails_or_lacks_is_listed(question):
    def broken(classifier, setting):
        raise RuntimeError("no such norm\nsecond line")

    absent = library(broken, "foolbox", "no_such_package")
    case = measure_strength(
        *question, SETTING, baseline_steps=[10], baselines=[library(broken), absent]
    )
    assert [each.problem for each in case.comparisons] == [
        "failed: RuntimeError: no such norm",
        "not installed",
    ]


def test_targets_are_other_classes_and_the_same_each_time():
    labels = torch.arange(10).repeat(20)
    targets = random_targets(labels, 10)
    assert (targets != labels).all()
    assert len(set(targets.tolist())) == 10
    assert torch.equal(targets, random_targets(labels, 10))


@pytest.mark.parametrize("name", ["torchattacks", "foolbox", "art", "autoattack"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("targeted", [False, True])
def test_each_library_stays_in_the_ball_and_aims_as_asked(question, name, norm, targeted):
    baseline = next(each for each in BASELINES if each.name == name)
    if baseline.package is None:
        pytest.skip(f"{name} is not installed")
    classifier, images, labels = question
    setting = Setting(4 / 255 if norm == "linf" else 0.5, steps=3, norm=norm, targeted=targeted)
    classes = random_targets(labels, 10) if targeted else labels
    torch.manual_seed(0)
    adversarial = baseline.attack(classifier, setting)(images.clone(), classes.clone())
    change = (adversarial - images).flatten(1)
    size = change.abs().amax(dim=1) if norm == "linf" else change.norm(dim=1)
    assert float(size.max()) <= setting.epsilon + 1e-5
    assert float(size.min()) > setting.epsilon / 4
    sign = -1 if targeted else 1

    def loss(pixels):
        return sign * float(F.cross_entropy(classifier(pixels), classes))

    assert loss(adversarial) > loss(images)
