"""The checks of one attacked image: what its report shows at once, and with extra passes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, load
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.trust import (
    caveats_of,
    check_report,
    evidence_at_once,
    is_faint,
    warnings_json,
)
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from tests.experiments.trust.nets import Dropping, Rounded, Softmaxed, wrapped


def report_of(classifier, epsilon: float = 4 / 255, **settings):
    image = preprocess(samples(classifier.gallery)[0].read(), classifier)
    recipe = Recipe("test", classifier.name, "linf", epsilon, **{"steps": 10, **settings})
    return attack_image(classifier, image, recipe)


def linear(classes: int) -> Classifier:
    """Small random weights, so that all logits are alike."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, classes))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        module[1].weight.copy_(torch.randn(classes, 3 * 32 * 32, generator=generator) * 1e-3)
    labels = [f"class {index}" for index in range(classes)]
    return Classifier(module, labels=labels, input_size=(32, 32), gallery="cifar10")


def codes(caveats) -> list[str]:
    return [caveat.code for caveat in caveats]


@pytest.mark.parametrize(
    ("kind", "code", "at_once"),
    [
        (Rounded, "zero-gradient", True),
        (Softmaxed, "probabilities", True),
        (Dropping, "random-outputs", False),
    ],
)
def test_what_the_trace_shows_needs_no_pass(kind, code, at_once) -> None:
    classifier = wrapped(load("cifar10-standard"), kind)
    report = report_of(classifier)
    quick = caveats_of(evidence_at_once(report), classifier)
    assert (code in codes(quick)) == at_once
    assert code in codes(check_report(classifier, report))


def test_a_step_size_that_is_far_too_small_leaves_the_loss_rising() -> None:
    classifier = load("cifar10-standard")
    report = report_of(classifier, step_size=1e-4)
    assert report.outcome == "held"
    assert codes(caveats_of(evidence_at_once(report), classifier)) == ["loss-rising"]


def test_a_success_that_8_bits_lose_is_named() -> None:
    classifier = load("cifar10-standard")
    report = report_of(classifier)
    assert report.success
    assert report.survives_8bit
    lost = replace(report, survives_8bit=False)
    assert codes(caveats_of(evidence_at_once(lost), classifier)) == ["lost-by-rounding"]


@pytest.mark.parametrize(("targeted", "classes"), [(True, 1000), (False, 1000), (True, 10)])
def test_a_class_that_is_reached_with_next_to_no_confidence_is_named(targeted, classes) -> None:
    """Logits from 0 to 1 for a thousand classes: the most probable has about 0.2 %."""
    classifier = linear(classes)
    report = report_of(classifier, epsilon=0.5, target=6 if targeted else None)
    assert report.success
    faint = report.after.confidence < 0.01
    assert faint == (classes == 1000) == is_faint(report)
    caveats = check_report(classifier, report)
    assert ("faint-success" in codes(caveats)) == faint
    assert ("faint-success" in codes(caveats_of(evidence_at_once(report), classifier))) == faint
    if faint:
        (text,) = [each.sentence for each in caveats if each.code == "faint-success"]
        assert "less than 1 % sure at this image" in text
        wrong = report_of(classifier, epsilon=0.5, label=(report.label + 1) % classes)
        assert check_report(classifier, wrong) == ()


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_a_classifier_that_hardly_knows_the_class_is_named(classes) -> None:
    """Of its logits the largest is a little above the others, whatever their number."""
    classifier = linear(classes)
    report = report_of(classifier, epsilon=0.5)
    assert "near-chance" in codes(caveats_of(evidence_at_once(report), classifier))
    texts = {each.code: each.sentence for each in check_report(classifier, report)}
    assert "check that the network is trained" in texts["near-chance"]
    surer = report.before.probabilities.new_zeros(classes)
    surer[report.label] = 1
    sure = replace(report, before=replace(report.before, probabilities=surer))
    assert "near-chance" not in codes(caveats_of(evidence_at_once(sure), classifier))


def test_bundled_classifiers_have_learned_something_however_unsure_they_are() -> None:
    classifier = load("cifar10-d_det")
    report = report_of(classifier)
    unsure = torch.full((10,), 0.1)
    report = replace(report, before=replace(report.before, probabilities=unsure))
    evidence = evidence_at_once(report)
    assert evidence.near_chance == 1
    assert "near-chance" not in codes(caveats_of(evidence, classifier))
    classifier.name = "user:mine"
    assert "near-chance" in codes(caveats_of(evidence, classifier))


def test_an_image_that_was_wrong_before_has_no_attack_to_doubt() -> None:
    classifier = load("cifar10-standard")
    right = report_of(classifier)
    wrong = report_of(classifier, label=(right.label + 1) % 10)
    assert wrong.outcome == "misclassified"
    assert check_report(classifier, wrong) == ()


def test_a_note_that_says_the_same_as_a_caveat_comes_once() -> None:
    classifier = wrapped(load("cifar10-standard"), Softmaxed)
    caveats = check_report(classifier, report_of(classifier))
    (probabilities,) = [each for each in caveats if each.code == "probabilities"]
    notes = [probabilities.sentence, "another note"]
    warnings = warnings_json(caveats, notes)
    assert [each["text"] for each in warnings].count(probabilities.sentence) == 1
    assert {"code": "classifier", "text": "another note"} in warnings
