from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.attacks import AttackError, Threat
from explorer.classifiers import load
from explorer.errors import Cancelled
from explorer.experiments.one_image.attack_image import attack_image
from explorer.experiments.one_image.ladder import (
    COARSE_TO_FINE,
    HALVINGS,
    Ladder,
    compute_ladder,
    ladder_recipe,
    largest_epsilon,
)
from explorer.experiments.one_image.recipe import Recipe
from explorer.images.distances import l2, linf
from explorer.images.gallery import sample
from explorer.images.geometry import resize_and_crop
from tests.small_models import (
    SIDE,
    any_images,
    fgsm,
    grey_images,
    linear_classifier,
    smooth_classifier,
)

RECIPE = Recipe("gallery:cifar10-00", "cifar10-standard", "linf", 4 / 255, 40)


def recipe_for(norm: str, **settings: object) -> Recipe:
    return Recipe("", "", norm, 0.01, 40, **settings)


def successes(ladder: Ladder) -> list[bool]:
    return [rung.image.success for rung in ladder.rungs]


@pytest.fixture(scope="module")
def classifier():
    return load("cifar10-standard", device="cpu")


@pytest.fixture(scope="module")
def image(classifier):
    return resize_and_crop(sample("cifar10-00").read(), classifier.input_size)


@pytest.fixture(scope="module")
def ladder(classifier, image):
    return compute_ladder(classifier, image, RECIPE)


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("seed", range(2))
def test_success_never_falls_and_every_rung_lies_in_its_ball(norm, seed):
    smooth, image = smooth_classifier(seed=seed), any_images(1, seed=seed)[0]
    ladders = []
    ladder = compute_ladder(smooth, image, recipe_for(norm), on_rung=ladders.append)
    assert ladders[-1] == ladder
    for each in ladders:
        assert successes(each) == sorted(successes(each))
        assert list(each.epsilons) == sorted(set(each.epsilons))
    distance = linf if norm == "linf" else l2
    for rung in ladder.rungs:
        pixels = rung.image.adversarial
        assert distance(image, pixels) <= rung.epsilon * (1 + 1e-5) + 1e-6
        assert 0 <= float(pixels.min()) <= float(pixels.max()) <= 1
        predicted = int(smooth(pixels[None]).argmax())
        assert predicted == rung.image.after.index
        assert rung.image.success == (predicted != rung.image.label)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_smallest_epsilon_of_a_linear_model_is_bracketed(norm):
    linear = linear_classifier()
    image = grey_images(1, spread=0.005)[0]
    logits = linear(image[None])[0]
    direction = linear.module.layer.weight[0] - linear.module.layer.weight[1]
    dual = direction.abs().sum() if norm == "linf" else direction.norm()
    closest = float(((logits[0] - logits[1]).abs() / dual).detach())
    ladder = compute_ladder(linear, image, recipe_for(norm))
    smallest = ladder.smallest
    assert smallest is not None
    below = ladder.epsilons[ladder.epsilons.index(smallest.epsilon) - 1]
    assert below <= closest * 1.001
    assert closest <= smallest.epsilon * 1.001
    assert len(ladder.rungs) == 1 + len(COARSE_TO_FINE) + HALVINGS


def test_a_ladder_of_a_class_that_is_never_reached_has_no_smallest_epsilon():
    linear = linear_classifier()
    image = grey_images(1)[0].round()  # far from the boundary for the small steps of this range
    other = 1 - int(linear(image[None]).argmax())
    linear.module.layer.bias.data[other] -= 1e6
    ladder = compute_ladder(linear, image, recipe_for("linf", target=other))
    assert ladder.smallest is None
    assert successes(ladder) == [False] * (1 + len(COARSE_TO_FINE))


def test_the_same_recipe_gives_the_same_bytes_for_every_epsilon(classifier, image, ladder):
    other = compute_ladder(classifier, image, replace(RECIPE, epsilon=8 / 255))
    assert ladder.epsilons == other.epsilons
    for one, two in zip(ladder.rungs, other.rungs, strict=True):
        assert torch.equal(one.image.adversarial, two.image.adversarial)
        assert torch.equal(one.image.after.probabilities, two.image.after.probabilities)


def test_the_exact_result_is_one_of_the_rungs(classifier, image, ladder):
    report = attack_image(classifier, image, replace(RECIPE, epsilon=1.785 / 255))
    whole = ladder.with_report(report)
    rung = whole.nearest(1.785 / 255)
    assert rung.is_exact
    assert rung.image is report
    assert successes(whole) == sorted(successes(whole))
    assert whole.with_report(report).epsilons == whole.epsilons
    with pytest.raises(AttackError, match="does not answer the question"):
        ladder.with_report(replace(report, label=5))


def test_an_exact_result_that_failed_takes_over_what_succeeded_below(classifier, image, ladder):
    report = attack_image(classifier, image, replace(RECIPE, epsilon=20.1 / 255, steps=1))
    failed = replace(report, adversarial=report.original, after=report.before, success=False)
    assert ladder.rungs[-1].image.success
    rung = ladder.with_report(failed).nearest(20.1 / 255)
    assert rung.image.success
    assert not rung.is_exact


def test_the_rungs_of_fgsm_are_exact(classifier, image):
    recipe = Recipe("", "", "linf", 4 / 255, 40).fgsm()
    ladder = compute_ladder(classifier, image, recipe)
    assert all(rung.is_exact for rung in ladder.rungs)
    label = torch.tensor([ladder.rungs[0].image.label])
    for rung in ladder.rungs[1:]:
        result = fgsm(Threat("linf", rung.epsilon))(classifier, image[None], label)
        assert torch.equal(rung.image.adversarial, result.adversarial[0])


def test_progress_counts_every_step_and_coarse_rungs_come_first():
    calls, ladders = [], []
    compute_ladder(
        smooth_classifier(),
        any_images(1)[0],
        recipe_for("linf"),
        on_step=lambda done, steps, loss: calls.append((done, steps)),
        on_rung=ladders.append,
    )
    done = [each for each, _ in calls]
    assert done == sorted(done)
    assert {steps for _, steps in calls} == {calls[-1][0]}
    largest = largest_epsilon("linf", (SIDE, SIDE))
    assert ladders[3].epsilons == (0.0, *(part / 32 * largest for part in (1, 4, 16, 32)))


def test_cancelling_raises_at_the_next_step():
    asked = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) == 30

    with pytest.raises(Cancelled):
        compute_ladder(
            smooth_classifier(), any_images(1)[0], recipe_for("linf"), cancelled=cancelled
        )
    assert len(asked) == 30


def test_recipes_that_differ_in_epsilon_or_many_steps_alone_have_the_same_ladder():
    recipe = recipe_for("l2")
    assert ladder_recipe(recipe) == ladder_recipe(replace(recipe, epsilon=0.5, steps=100))
    assert ladder_recipe(recipe) != ladder_recipe(replace(recipe, target=1))
    assert ladder_recipe(recipe.fgsm()) == ladder_recipe(replace(recipe, epsilon=0.5).fgsm())
    assert ladder_recipe(recipe.fgsm()).is_fgsm


def test_few_steps_with_momentum_have_the_ladder_of_many_plain_ones():
    recipe = recipe_for("l2")
    quick = replace(recipe, steps=10, rule="momentum")
    assert ladder_recipe(quick) == ladder_recipe(replace(recipe, steps=40))
    assert ladder_recipe(replace(quick, steps=2)).steps == 8


def test_a_target_that_the_image_already_shows_is_refused(classifier, image):
    with pytest.raises(AttackError, match="already says"):
        compute_ladder(classifier, image, recipe_for("linf", target=3))
