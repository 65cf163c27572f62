"""A second opinion agrees where the answer is known, and finds what masked gradients hide."""

from __future__ import annotations

import pytest
import torch

from explorer.classifiers import Classifier
from explorer.errors import Cancelled, UserError
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.report import AttackReport, Prediction
from explorer.experiments.second_opinion import Opinion, SecondOpinion, second_opinion
from tests.experiments.trust.nets import Rounded, wrapped
from tests.small_models import grey_images, labels_of, linear_classifier


def attacked(classifier: Classifier, norm: str, epsilon: float, **more) -> AttackReport:
    recipe = Recipe("test", classifier.name, norm, epsilon, steps=20, **more)
    return attack_image(classifier, grey_images(1)[0], recipe)


def needed(classifier: Classifier, norm: str) -> float:
    """The smallest ε that fools a linear classifier of two classes."""
    image = grey_images(1)
    logits, weight = classifier(image)[0].detach(), classifier.module.layer.weight.detach()
    dual = 1 if norm == "linf" else 2
    return float((logits[0] - logits[1]).abs() / (weight[0] - weight[1]).norm(p=dual))


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize(("share", "success"), [(0.95, False), (1.05, True)])
def test_apgd_agrees_on_both_sides_of_the_smallest_epsilon(norm, share, success) -> None:
    classifier = linear_classifier(scale=5.0)
    report = attacked(classifier, norm, share * needed(classifier, norm))
    assert report.success is success
    opinion = second_opinion(classifier, report)
    assert opinion.apgd.success is success
    assert opinion.agrees
    assert opinion.sentence.startswith("The result is confirmed: ")
    assert opinion.apgd.distance <= report.recipe.epsilon + 1e-5


def test_square_finds_what_a_zero_gradient_hides() -> None:
    smooth = linear_classifier(scale=500.0)
    classifier = wrapped(smooth, Rounded)
    report = attacked(classifier, "linf", 3 * needed(smooth, "linf"))
    assert not report.success
    opinion = second_opinion(classifier, report)
    assert (opinion.apgd.success, opinion.square.success) == (False, True)
    assert not opinion.agrees
    assert opinion.sentence.startswith("The result is contradicted: Square")


@pytest.mark.parametrize(
    ("first", "apgd", "square", "words"),
    [
        (True, True, False, "confirmed: APGD also succeeds"),
        (True, False, True, "confirmed: Square also succeeds"),
        (True, False, False, "not confirmed: neither"),
        (False, False, False, "confirmed: neither"),
        (False, True, True, "contradicted: APGD succeeds at this ε, so the classifier is not"),
        (False, False, True, "contradicted: Square, which needs no gradient, succeeds"),
    ],
)
def test_the_sentence_says_what_became_of_the_result(first, apgd, square, words) -> None:
    prediction = Prediction(torch.tensor([0.75, 0.25]), ("cat", "dog"))
    opinions = (
        Opinion(name, each, prediction, 0.1)
        for name, each in zip("ab", (apgd, square), strict=True)
    )
    opinion = SecondOpinion(first, *opinions, {})
    assert opinion.sentence.startswith(f"The result is {words}")
    assert opinion.agrees == opinion.sentence.startswith("The result is confirmed")


def test_a_target_is_the_target_of_both() -> None:
    classifier = linear_classifier(classes=5, scale=5.0)
    label = int(labels_of(classifier, grey_images(1)))
    target = (label + 1) % 5
    report = attacked(classifier, "linf", 0.2, target=target)
    opinion = second_opinion(classifier, report)
    assert opinion.apgd.prediction.index == target
    assert opinion.square.success == (opinion.square.prediction.index == target)


def test_it_depends_on_the_seed_alone_and_leaves_the_random_state() -> None:
    classifier = linear_classifier(scale=5.0)
    report = attacked(classifier, "linf", 0.9 * needed(classifier, "linf"))
    distances = []
    with torch.random.fork_rng():
        for seed in (1, 2):
            torch.manual_seed(seed)
            state = torch.get_rng_state()
            opinion = second_opinion(classifier, report)
            assert torch.equal(state, torch.get_rng_state())
            distances.append([opinion.square.prediction.probabilities, opinion.square.distance])
    assert torch.equal(distances[0][0], distances[1][0])
    assert distances[0][1] == distances[1][1]


def test_it_stops_when_it_is_cancelled_and_counts_its_calls() -> None:
    classifier = linear_classifier(scale=5.0)
    report = attacked(classifier, "l2", 0.5 * needed(classifier, "l2"))
    calls: list[tuple[int, int]] = []
    with pytest.raises(Cancelled):
        second_opinion(
            classifier,
            report,
            on_call=lambda *call: calls.append(call),
            cancelled=lambda: len(calls) == 7,
        )
    assert [done for done, _ in calls] == list(range(1, 8))
    second_opinion(classifier, report, on_call=lambda *call: calls.append(call))
    assert calls[-1][0] == calls[-1][1]


def test_nothing_to_attack_is_one_sentence() -> None:
    classifier = linear_classifier()
    report = attacked(classifier, "linf", 0.0)
    with pytest.raises(UserError, match="an ε above 0"):
        second_opinion(classifier, report)
