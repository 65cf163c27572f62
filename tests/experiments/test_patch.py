"""A patch on classifiers for which the best one is known, and its schedule and repeatability."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.attacks import AttackError
from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.errors import Cancelled
from explorer.experiments.patch import (
    PatchAttack,
    adversarial_patch,
    fit_patch,
    noise_patch,
    patch_shares,
)
from explorer.experiments.patch_recipe import PatchRecipe, patch_rows, targets_of

SIDE = 16


class MeanColour(nn.Module):
    """Three logits: the means of red, green and blue, wherever they are in the picture."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(30.0))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3)) * self.scale


def colours(names: tuple[str, ...] = ("red", "green", "blue")) -> Classifier:
    return Classifier(MeanColour().eval(), labels=names, input_size=(SIDE, SIDE))


def pictures(count: int = 6) -> LabelledImages:
    """Grey pictures that are a little redder than green, and not blue."""
    levels = torch.full((count, 3, SIDE, SIDE), 100, dtype=torch.uint8)
    levels[:, 0] += 8
    levels[:, 1] += 4
    return LabelledImages(levels, torch.zeros(count, dtype=torch.int64), colours().labels)


def attack(**settings: object) -> PatchAttack:
    return PatchAttack(
        2, **{"area": 0.1, "steps": 30, "batch": 4, "precision": "float32", **settings}
    )


def test_the_best_patch_against_mean_colours_is_of_the_target_colour():
    patch = fit_patch(colours(), pictures(), attack())
    assert patch.shape[0] == 3
    assert float(patch[2].min()) > 0.99
    assert float(patch[:2].max()) < 0.01


def test_it_is_scored_beside_noise_on_pictures_of_other_classes():
    models = {"one": colours(), "other": colours(("blue", "red", "green"))}
    data = pictures()
    reds = LabelledImages(data.images, torch.ones(6, dtype=torch.int64), ())
    labelled = {"one": data, "other": reds}
    steps: list[tuple[int, int]] = []
    targets = targets_of(models, 2)
    assert targets == {"one": 2, "other": 0}
    result = adversarial_patch(
        models, data, labelled, targets, attack(), on_step=lambda *step: steps.append(step)
    )
    assert steps == [(done, 34) for done in range(1, 35)]
    (one, other), noise = result.shares, result.noise
    assert (one.n, one.rate) == (6, 1.0)
    assert other.n == 0  # it calls red pictures blue, before any patch
    assert noise[0].fooled == 0
    recipe = PatchRecipe(tuple(models), "blue", attack())
    assert "--target blue --area 0.1" in recipe.command()
    assert len(patch_rows(result)) == 4


def test_a_classifier_without_the_target_is_named():
    with pytest.raises(AttackError, match="two has no class 'blue'"):
        targets_of({"one": colours(), "two": colours(("red", "green", "yellow"))}, 2)


def test_it_is_the_same_every_time_and_shown_on_the_way():
    previews: list[torch.Tensor] = []
    first = fit_patch(colours(), pictures(), attack(steps=7), on_preview=previews.append)
    torch.manual_seed(4)
    assert torch.equal(first, fit_patch(colours(), pictures(), attack(steps=7)))
    assert len(previews) == 2
    assert not torch.equal(first, fit_patch(colours(), pictures(), attack(steps=7, seed=1)))
    assert torch.equal(noise_patch(first, 3), noise_patch(first, 3))


def test_the_places_it_is_scored_at_are_those_of_the_seed():
    one, again = attack().held_out(5), attack(steps=99).held_out(5)
    assert torch.equal(one.x, again.x)
    assert not torch.equal(one.x, attack(seed=1).held_out(5).x)
    patch = torch.zeros(3, 4, 4)
    data = pictures()
    shares = patch_shares(patch, {"one": colours()}, {"one": data}, {"one": 2}, attack())
    assert shares[0].fooled == 0


def test_the_area_shrinks_from_four_times_to_that_asked_for():
    settings = attack(steps=100)
    areas = [settings.area_at(step) for step in range(100)]
    assert areas[0] == pytest.approx(0.4)
    assert areas == sorted(areas, reverse=True)
    assert areas[60:] == pytest.approx([0.1] * 40)


def test_it_can_be_cancelled():
    with pytest.raises(Cancelled):
        fit_patch(colours(), pictures(), attack(), cancelled=lambda: True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"area": 0.9}, "area must be from"),
        ({"area": float("nan")}, "area must be from"),
        ({"rotation": -1.0}, "rotation must be from"),
        ({"steps": 0}, "steps must be"),
        ({"batch": 0}, "batch must be"),
    ],
)
def test_settings_that_can_not_be_used_are_refused(settings, words):
    with pytest.raises(AttackError, match=words):
        attack(**settings)


def test_a_target_that_the_classifier_lacks_is_refused():
    with pytest.raises(AttackError, match="class from 0 to 2"):
        fit_patch(colours(), pictures(), PatchAttack(3))
