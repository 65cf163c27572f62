from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.classifiers import load
from explorer.errors import Cancelled
from explorer.experiments.one_image.attack_image import attack_image, image_digest, predict
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.gallery import sample
from explorer.images.geometry import resize_and_crop, round_8bit

RECIPE = Recipe("gallery:cifar10-00", "cifar10-standard", "linf", 8 / 255, 10)


@pytest.fixture(scope="module")
def classifier():
    return load("cifar10-standard", device="cpu")


@pytest.fixture(scope="module")
def image(classifier):
    return resize_and_crop(sample("cifar10-00").read(), classifier.input_size)


def test_the_numbers_of_a_report_are_the_classifiers(classifier, image):
    report = attack_image(classifier, image, RECIPE, frames=True)
    assert report.outcome == "fooled"
    assert report.label == report.before.index == 3
    stack = torch.stack([report.original, report.adversarial, round_8bit(report.adversarial)])
    before, after, rounded = predict(classifier, stack)
    assert torch.allclose(report.before.probabilities, before.probabilities, atol=1e-5)
    assert torch.allclose(report.after.probabilities, after.probabilities, atol=1e-4)
    assert report.survives_8bit == (rounded.index != 3)
    delta = report.adversarial - image
    assert report.linf == pytest.approx(float(delta.abs().max()), abs=1e-6)
    assert report.l2 == pytest.approx(float(delta.norm()), abs=1e-4)
    assert report.trace.frames.shape == (11, 1, 3, 32, 32)
    assert report.recipe.image_digest == image_digest(image)
    assert report.recipe.result_digest == image_digest(report.adversarial)


def test_a_complete_recipe_gives_the_same_bits(classifier, image):
    first = attack_image(classifier, image, RECIPE)
    second = attack_image(classifier, image, first.recipe)
    assert first.recipe.differences(second.recipe) == []


def test_outcomes(classifier, image):
    target = 8
    fooled = attack_image(classifier, image, Recipe("", "", "l2", 3.0, 40, target=target))
    assert (fooled.outcome, fooled.after.index) == ("fooled", target)
    same = attack_image(classifier, image, Recipe("", "", "linf", 0.0, 1))
    assert (same.outcome, same.success, same.survives_8bit) == ("held", False, False)
    wrong = attack_image(classifier, image, Recipe("", "", "linf", 0.0, 1, label=5))
    assert (wrong.outcome, wrong.success) == ("misclassified", True)
    outcomes = {
        attack_image(classifier, image, Recipe("", "", "linf", e / 255, 10, target=target)).outcome
        for e in (0.25, 1, 2, 3, 4, 16)
    }
    assert {"held", "fooled"} <= outcomes <= {"held", "partly", "fooled"}


def test_recipes_that_do_not_suit_the_image_are_refused(classifier, image):
    with pytest.raises(AttackError, match="already says"):
        attack_image(classifier, image, Recipe("", "", "linf", 0.1, 1, target=3))
    with pytest.raises(AttackError, match="L2 distance from black to white"):
        attack_image(classifier, image, Recipe("", "", "l2", 56.0, 1))


def test_cancelling_raises(classifier, image):
    with pytest.raises(Cancelled):
        attack_image(classifier, image, RECIPE, cancelled=lambda: True)
