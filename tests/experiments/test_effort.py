"""Quick and thorough: a number of steps, and more attacks where PGD fails."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.attacks import PGD, Thorough, Threat
from explorer.experiments.effort import (
    QUICK,
    STEPS_OF,
    THOROUGH,
    EffortError,
    most_steps,
    with_effort,
)
from explorer.experiments.one_image.attack_image import attack_from, attack_image
from explorer.experiments.one_image.ladder import ladder_recipe
from explorer.experiments.one_image.recipe import Recipe
from explorer.experiments.one_image.recipe_file import read_recipe
from tests.small_models import any_images, smooth_classifier

RECIPE = Recipe("image.png", "smooth", "linf", 0.01, 6, step_size=0.0, random_start=False)


def test_only_thorough_is_another_attack():
    pgd = PGD(Threat("linf", 0.01), steps=5, restarts=2)
    assert with_effort(pgd, "") is pgd
    assert with_effort(pgd, QUICK) is pgd
    assert with_effort(pgd, THOROUGH) == Thorough(pgd)
    assert most_steps(pgd, QUICK, 10, targeted=False) == 10
    assert most_steps(pgd, THOROUGH, 10, targeted=False) == 10 + 5 * (9 + 3)
    assert most_steps(pgd, THOROUGH, 10, targeted=True) == 10 + 5 * (1 + 3)
    assert STEPS_OF[QUICK] < STEPS_OF[THOROUGH]


@pytest.mark.parametrize("effort", ["extreme", "Thorough", "a\nb"])
def test_an_effort_that_there_is_not_is_refused(effort):
    with pytest.raises(EffortError, match="quick or thorough"):
        attack_from(replace(RECIPE, effort=effort))


def test_a_thorough_recipe_finds_what_its_first_attack_misses():
    classifier = smooth_classifier(6)
    images = any_images(24)
    before = [attack_image(classifier, image, RECIPE) for image in images]
    assert not any(report.success for report in before)
    recipe = replace(RECIPE, epsilon=8 / 255, effort=THOROUGH)
    reports = [attack_image(classifier, image, recipe, frames=True) for image in images[:6]]
    assert any(report.success for report in reports)
    for report in reports:
        assert report.recipe.effort == THOROUGH
        assert report.trace.steps == RECIPE.steps
        again = attack_image(classifier, report.original, report.recipe)
        assert report.recipe.differences(again.recipe) == []


def test_a_recipe_without_an_effort_means_what_it_meant():
    text = RECIPE.to_json()
    before = "\n".join(line for line in text.splitlines() if '"effort"' not in line)
    assert before != text
    assert read_recipe(before)[0] == RECIPE
    assert "--effort" not in RECIPE.command()
    assert "--steps 6" in RECIPE.command()
    thorough = replace(RECIPE, effort=THOROUGH)
    assert "--steps 6" in thorough.command()
    assert "--effort thorough" in thorough.command()
    assert read_recipe(thorough.to_json())[0] == thorough
    assert thorough.fgsm() == RECIPE.fgsm()
    assert ladder_recipe(thorough) == ladder_recipe(RECIPE)
