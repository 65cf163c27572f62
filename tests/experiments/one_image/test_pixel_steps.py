"""An attack followed pixel by pixel, where its gradient is known in closed form."""

from __future__ import annotations

import torch

from explorer.experiments.one_image.pixel_steps import follow_pixels, recipe_of_few_steps
from explorer.experiments.one_image.recipe import Recipe
from tests.small_models import SIDE, any_images, grey_images, labels_of, linear_classifier

EPSILON = 8 / 255


def recipe(label: int, target: int | None = None, steps: int = 6) -> Recipe:
    asked = Recipe("picture", "linear", "linf", EPSILON, 40, restarts=3, label=label, target=target)
    return recipe_of_few_steps(asked, steps)


def test_the_gradient_is_that_of_the_targets_log_probability() -> None:
    classifier = linear_classifier(scale=0.3)
    image = any_images(1)[0]
    label = int(labels_of(classifier, image[None]))
    target = 1 - label
    steps = follow_pixels(classifier, image, recipe(label, target))
    weight = classifier.module.layer.weight.detach()
    with torch.no_grad():
        probability = classifier(image[None]).softmax(dim=1)[0, target]
    expected = (1 - probability) * (weight[target] - weight[label]).view(3, SIDE, SIDE)
    torch.testing.assert_close(steps.gradient, expected)
    row, column = steps.steepest
    assert expected.abs().sum(dim=0)[row, column] == expected.abs().sum(dim=0).max()


def test_each_step_goes_by_the_sign_and_never_beyond_epsilon() -> None:
    classifier = linear_classifier()
    image = grey_images(1)[0]
    label = int(labels_of(classifier, image[None]))
    steps = follow_pixels(classifier, image, recipe(label))
    assert torch.equal(steps.frames[0], image)
    assert len(steps.frames) == 7
    sign = steps.gradient.sign()
    for number, frame in enumerate(steps.frames):  # the gradient of a linear model has one sign
        change = sign * min(number / 4, 1) * EPSILON
        torch.testing.assert_close(frame - image, change, atol=1e-6, rtol=0)
    assert torch.equal(steps.frames[-1], steps.report.adversarial)
    assert steps.report.trace.frames is None
