"""What classifiers draw, and who recognises it."""

from __future__ import annotations

from functools import cache

import pytest
import torch

from explorer.classifiers import Classifier, catalogue, load
from explorer.datasets.labelled import LabelledImages
from explorer.experiments.evaluation.robust_accuracy import wilson
from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.recognition import FIRST_JUDGE, judge_names
from explorer.experiments.features.starts import DATA
from explorer.experiments.features.synthesis import (
    Synthesis,
    SynthesisFrame,
    SynthesisSettings,
    default_epsilon,
    synthesise,
)
from tests.small_models import linear_classifier

ROBUST, STANDARD = "cifar10-robust", "cifar10-standard"


def small() -> dict[str, Classifier]:
    return {"one": linear_classifier(3), "two": linear_classifier(3, seed=1)}


@cache
def bundled() -> Synthesis:
    """Two pictures of each class, drawn with the default setting."""
    models = {name: load(name) for name in (ROBUST, STANDARD)}
    judges = {FIRST_JUDGE: load(FIRST_JUDGE), **models}
    return synthesise(models, SynthesisSettings(count=2), judges)


def test_another_classifier_recognises_what_the_robust_one_draws_and_not_the_standard_one():
    robust, standard = (bundled().recognition(name, FIRST_JUDGE) for name in (ROBUST, STANDARD))
    assert robust is not None
    assert standard is not None
    assert robust.n == standard.n == 20
    assert robust.count >= 16  # 8 of 10
    assert standard.count <= 6  # 3 of 10
    assert robust.classes >= 8
    assert standard.classes <= 3
    assert robust.control <= 5  # chance is 2
    assert robust.interval == wilson(robust.count, 20)
    assert robust.interval[0] > standard.interval[1]  # no accident of these twenty


def test_each_classifier_recognises_its_own_drawings_and_neither_those_of_the_other():
    for drawer in (ROBUST, STANDARD):
        for judge in (ROBUST, STANDARD):
            answer = bundled().recognition(drawer, judge)
            assert answer is not None
            assert (answer.count >= 18) == (drawer == judge)


def test_the_drawings_keep_to_the_budget_and_begin_alike():
    robust, standard = bundled().drawings
    assert torch.equal(robust.starts, standard.starts)
    assert robust.epsilon == standard.epsilon == 20
    rounding = 0.5 / 255 * robust.images[0].numel() ** 0.5
    assert max(*robust.lengths, *standard.lengths) <= 20 + rounding
    levels = robust.images * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_a_drawing_does_not_depend_on_the_other_classes_and_pictures():
    models = small()
    everything = synthesise(models, SynthesisSettings(count=2, epsilon=1.0), models)
    alone = synthesise(models, SynthesisSettings(classes=(2,), epsilon=1.0), models)
    for full, one in zip(everything.drawings, alone.drawings, strict=True):
        assert full.targets == (0, 1, 2, 0, 1, 2)
        assert torch.equal(full.starts[2], one.starts[0])
        torch.testing.assert_close(full.images[2], one.images[0], atol=1 / 255, rtol=0)


def test_steps_and_frames_are_reported_and_the_start_can_be_fitted_on_pictures():
    models = small()
    steps: list[tuple[int, int]] = []
    frames: list[SynthesisFrame] = []
    labels = torch.arange(3).repeat(4)
    images = torch.randint(0, 256, (12, 3, 6, 6), dtype=torch.uint8)
    data = LabelledImages(images, labels, ())
    settings = SynthesisSettings(steps=4, epsilon=1.0, start=DATA)
    synthesis = synthesise(
        models,
        settings,
        models,
        data=dict.fromkeys(models, data),
        on_step=lambda done, total: steps.append((done, total)),
        on_frame=frames.append,
    )
    assert steps == [(done, 8) for done in range(1, 9)]
    assert [(frame.name, frame.step) for frame in frames] == [
        (name, step) for name in models for step in (1, 2, 3)
    ]
    assert synthesis.judges == ("one", "two")
    with pytest.raises(FeatureError, match="needs labelled pictures"):
        synthesise(models, settings, models)


def test_judges_have_the_same_classes_and_size():
    known = {entry.name: entry for entry in catalogue()}
    names = judge_names(known, [load(STANDARD)])
    assert names[0] == FIRST_JUDGE
    assert set(names) == {name for name in known if name.startswith("cifar10-")}
    models = small()
    other = {"other classes": linear_classifier(2)}
    assert synthesise(models, SynthesisSettings(epsilon=1.0, steps=1), other).judges == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps must be from 1"),
        ({"count": 101}, "pictures of each class"),
        ({"epsilon": 0.0}, "epsilon must be above 0"),
        ({"epsilon": float("nan")}, "epsilon must be above 0"),
        ({"start": "snow"}, "one of noise, grey, data, not 'snow'"),
        ({"classes": ()}, "at least one class"),
        ({"classes": (0, 3)}, "has classes 0 to 2, not 3"),
        ({"classes": (1, 1)}, "each class once"),
    ],
)
def test_what_can_not_be_drawn_is_said(settings, message):
    models = small()
    with pytest.raises(FeatureError, match=message):
        synthesise(models, SynthesisSettings(**settings), models)


def test_classes_that_another_classifier_lacks_and_too_many_classes_are_named():
    models = {"one": linear_classifier(3), "two": linear_classifier(2)}
    with pytest.raises(FeatureError, match="two has no class “class 2”"):
        synthesise(models, SynthesisSettings(), {})
    many = {"many": linear_classifier(21)}
    with pytest.raises(FeatureError, match="has 21 classes; name those to draw"):
        synthesise(many, SynthesisSettings(), {})


def test_the_budget_grows_with_the_side():
    assert default_epsilon((32, 32)) == 20
    assert default_epsilon((64, 64)) == 40
