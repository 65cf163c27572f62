"""Two attacks on linear classifiers, for which both outcomes are known."""

from __future__ import annotations

import json
import shlex

import pytest
import torch

from explorer.attacks import AttackError
from explorer.classifiers import Classifier
from explorer.datasets.labelled import LabelledImages
from explorer.errors import Cancelled
from explorer.experiments.dispute import (
    Dispute,
    DisputeAttack,
    dispute,
    dispute_rows,
    isolated_attack,
)
from explorer.experiments.dispute_recipe import DisputeRecipe
from tests.small_models import SIDE, Linear

PIXELS = 3 * SIDE * SIDE


def classifier(weight: torch.Tensor) -> Classifier:
    """Logits ± weight · (x − 0.5): the classes "up" and "down"."""
    rows = torch.stack([weight, -weight])
    bias = -rows @ torch.full_like(weight, 0.5)
    return Classifier(Linear(rows, bias), labels=["up", "down"], input_size=(SIDE, SIDE))


def axes() -> tuple[torch.Tensor, torch.Tensor]:
    """Two perpendicular directions of length 8."""
    first, second = torch.zeros(PIXELS), torch.zeros(PIXELS)
    first[: PIXELS // 2], second[PIXELS // 2 :] = 1.0, 1.0
    return (8 * each / each.norm() for each in (first, second))  # type: ignore[return-value]


def images(count: int = 5) -> LabelledImages:
    """Pictures that both directions call "up", with about the same margin."""
    levels = torch.full((count, 3, SIDE, SIDE), 132, dtype=torch.uint8)
    levels[:, 0, 0] += torch.arange(count, dtype=torch.uint8)[:, None]
    return LabelledImages(levels, torch.zeros(count, dtype=torch.int64), ("up", "down"))


def attack(epsilon: float = 0.6, **settings: object) -> DisputeAttack:
    return DisputeAttack("l2", epsilon, **{"steps": 20, "precision": "float32", **settings})


def test_a_relative_is_fooled_by_pgd_and_spared_by_the_other_attack():
    """f looks along u; the ensemble's member along u + v, so that moving along −u fools both.

    Along −u + v only f is fooled: that is what the second attack must find.
    """
    first, second = axes()
    models = {"f": classifier(first), "relative": classifier(first + second)}
    data = images()
    result = dispute(models, ["relative"], dict.fromkeys(models, data), attack())
    ordinary, isolated = result.ordinary, result.isolated
    assert ordinary.success.rate == isolated.success.rate == 1.0
    assert ordinary.transfers[0].rate == 1.0
    assert isolated.transfers[0].rate == 0.0
    moved = (isolated.images - data.images.float() / 255).flatten(1)
    assert bool((moved.norm(dim=1) <= 0.6 + 1e-5).all())
    assert bool((moved @ second > 0).all())


def test_a_double_can_not_be_spared():
    first, _ = axes()
    models = {"f": classifier(first), "double": classifier(3 * first)}
    data = images()
    result = dispute(models, ["double"], dict.fromkeys(models, data), attack())
    assert result.ordinary.transfers[0].rate == 1.0
    (share,) = result.isolated.transfers
    assert share.fooled == share.n  # whatever fools f fools it too


def test_a_stranger_is_fooled_by_neither():
    first, second = axes()
    models = {"f": classifier(first), "stranger": classifier(second)}
    data = images()
    result = dispute(models, ["stranger"], dict.fromkeys(models, data), attack())
    assert [each.transfers[0].rate for each in result.outcomes.values()] == [0.0, 0.0]


def test_only_what_fools_the_attacked_and_was_right_before_is_counted():
    first, second = axes()
    models = {"f": classifier(first), "wrong": classifier(-second)}
    data = images()
    result = dispute(models, ["wrong"], dict.fromkeys(models, data), attack())
    assert result.ordinary.transfers[0].n == 0
    none = dispute(models, ["wrong"], dict.fromkeys(models, data), attack(epsilon=0.0))
    assert none.ordinary.success.fooled == none.isolated.success.fooled == 0
    rows = dispute_rows(none)
    assert [row["attack"] for row in rows] == ["ordinary"] * 2 + ["not to transfer"] * 2 + [
        "noise"
    ] * 2
    assert [row["in_ensemble"] for row in rows] == [False, True] * 3
    assert [share.n for share in none.noise] == [5, 0]


def test_it_is_the_same_every_time_and_counts_its_steps():
    first, second = axes()
    models = {"f": classifier(first), "relative": classifier(first + second)}
    data = dict.fromkeys(models, images())
    steps: list[int] = []
    previews: list[Dispute] = []
    one = dispute(
        models,
        ["relative"],
        data,
        attack(steps=3),
        on_step=lambda done, total: steps.append(done),
        on_preview=previews.append,
    )
    torch.manual_seed(9)
    two = dispute(models, ["relative"], data, attack(steps=3))
    assert torch.equal(one.isolated.images, two.isolated.images)
    assert torch.equal(one.ordinary.images, two.ordinary.images)
    assert steps == [1, 2, 3, 4, 5, 6]
    assert len(previews) == 1


def test_it_can_be_cancelled():
    first, second = axes()
    data = images()
    with pytest.raises(Cancelled):
        isolated_attack(
            classifier(first),
            [classifier(second)],
            data.images.float() / 255,
            data.labels,
            attack(),
            cancelled=lambda: True,
        )


@pytest.mark.parametrize("ensemble", [[], ["f"], ["unknown"]])
def test_an_ensemble_that_can_not_be_used_is_refused(ensemble):
    first, second = axes()
    models = {"f": classifier(first), "g": classifier(second)}
    with pytest.raises(AttackError, match="the ensemble must be"):
        dispute(models, ensemble, dict.fromkeys(models, images()), attack())


def test_images_that_are_all_wrong_are_refused():
    first, second = axes()
    models = {"f": classifier(-first), "g": classifier(second)}
    with pytest.raises(AttackError, match="none of the images right"):
        dispute(models, ["g"], dict.fromkeys(models, images()), attack())


def test_the_recipe_names_every_classifier_once():
    recipe = DisputeRecipe(("a", "b", "c"), ("b",), attack(), "cifar10", 50)
    words = shlex.split(recipe.command("folder"))
    assert words[3:12] == [
        *("dispute", "--model", "a", "--ensemble", "b", "--judge", "c", "--data", "cifar10")
    ]
    assert words[-2:] == ["--out", "folder"]
    first, second = axes()
    models = {"a": classifier(first), "b": classifier(second), "c": classifier(first)}
    result = dispute(models, ["b"], dict.fromkeys(models, images()), attack(steps=2))
    values = json.loads(recipe.with_surroundings(models).to_json(result))
    assert len(values["rows"]) == 9
    assert set(values["surroundings"]["weights"]) == {"a", "b", "c"}
