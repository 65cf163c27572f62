"""Targeted attacks with a large ε: the target that is chosen, the parts of ε, who sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.classifiers import load
from explorer.errors import Cancelled, UserError
from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.large_epsilon import (
    SHARES,
    default_epsilon,
    default_target,
    large_epsilon,
    large_epsilon_recipe,
)
from explorer.experiments.one_image.attack_image import attack_image, predict
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from tests.experiments.features.pictures import small_picture
from tests.small_models import linear_classifier, smooth_classifier


def models() -> dict:
    return {"a": smooth_classifier(), "b": smooth_classifier(seed=1)}


def test_each_part_of_epsilon_is_a_targeted_attack_of_its_own() -> None:
    known = models()
    target = default_target(known, small_picture())
    recipe = large_epsilon_recipe("test", "a", 2.0, target, steps=4)
    steps: list[tuple[int, int]] = []
    answers = large_epsilon(
        known, small_picture(), recipe, on_step=lambda done, total: steps.append((done, total))
    )
    assert steps == [(done, 24) for done in range(1, 25)]
    for each in answers:
        for share, report in zip(SHARES, each.reports, strict=True):
            assert report.l2 <= share * 2.0 + 1e-5
            assert report.recipe.step_size == pytest.approx(2.5 * share * 2.0 / 4)
            alone = attack_image(
                known[each.name], preprocess(small_picture(), known[each.name]), report.recipe
            )
            assert torch.equal(alone.adversarial, report.adversarial)
        (seen,) = each.seen_by
        assert seen.made_on == each.name != seen.shown_to
        expected = predict(known[seen.shown_to], each.reports[-1].adversarial[None])[0]
        assert seen.answer is not None
        assert torch.allclose(seen.answer.after.probabilities, expected.probabilities)
        assert each.target_name == f"class {target}"


def test_the_usual_target_is_the_last_ones_most_probable_class_that_none_predicts() -> None:
    known = models()
    images = [preprocess(small_picture(), model)[None] for model in known.values()]
    predictions = [
        predict(model, image)[0] for model, image in zip(known.values(), images, strict=True)
    ]
    taken = {prediction.index for prediction in predictions}
    order = predictions[-1].probabilities.argsort(descending=True).tolist()
    expected = next(index for index in order if index not in taken)
    assert default_target(known, small_picture()) == expected
    # In the order of the first one's classes, whatever that of the last is.
    other = known["b"]
    rolled = dict(known, b=other)
    weight = other.module.body[5]  # type: ignore[index, union-attr]
    weight.weight.data, weight.bias.data = weight.weight.data.roll(1, 0), weight.bias.data.roll(1)
    other.labels = tuple(other.labels[index - 1] for index in range(5))
    assert default_target(rolled, small_picture()) == expected


def test_two_classes_that_are_both_predicted_leave_no_target() -> None:
    one = linear_classifier(seed=1)
    other = linear_classifier(seed=1)
    other.module.layer.weight.data *= -1  # type: ignore[operator, union-attr]
    other.module.layer.bias.data *= -1  # type: ignore[operator, union-attr]
    with pytest.raises(FeatureError, match="no class in common"):
        default_target({"a": one, "b": other}, small_picture())


def test_without_a_target_it_is_the_usual_one_and_the_work_stops_when_asked() -> None:
    known = models()
    target = default_target(known, small_picture())
    recipe = large_epsilon_recipe("test", "a", 1.0, target, steps=2)
    one, other = (
        large_epsilon(known, small_picture(), each)
        for each in (recipe, replace(recipe, target=None))
    )
    for a, b in zip(one, other, strict=True):
        assert a.reports[-1].recipe == b.reports[-1].recipe
    label = predict(known["a"], preprocess(small_picture(), known["a"])[None])[0].index
    with pytest.raises(UserError, match="already says"):
        large_epsilon(known, small_picture(), replace(recipe, target=label))
    with pytest.raises(Cancelled):
        large_epsilon(known, small_picture(), recipe, cancelled=lambda: True)


def test_epsilon_is_as_large_per_pixel_for_every_size() -> None:
    assert default_epsilon((32, 32)) == 6
    assert default_epsilon((64, 64)) == 12
    assert default_epsilon((32, 32)) / 32 == pytest.approx(default_epsilon((224, 224)) / 224)


def test_on_the_robust_classifier_the_standard_one_sees_the_target_too() -> None:
    """The page's first picture: what the robust classifier calls a dog is one to the other too."""
    known = {name: load(name) for name in ("cifar10-standard", "cifar10-robust")}
    cat = next(each for each in samples("cifar10") if each.title == "cat").read()
    target = default_target(known, cat)
    recipe = large_epsilon_recipe("gallery:cifar10-00", "cifar10-standard", 6.0, target, steps=8)
    standard, robust = large_epsilon(known, cat, recipe)
    assert all(report.outcome == "fooled" for report in robust.reports[1:])
    answer = robust.seen_by[0].answer
    assert answer is not None
    assert (answer.after.index, answer.outcome) == (target, "fooled")
    # The standard classifier needed less of the change that it was allowed.
    assert standard.reports[0].outcome == "fooled"
