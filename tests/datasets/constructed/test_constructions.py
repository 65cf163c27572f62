"""The four constructions: closed forms for a linear representation, labels, random draws."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import nn

from explorer.attacks import AttackError
from explorer.classifiers import Classifier, ClassifierError
from explorer.datasets.constructed.constructions import (
    CONSTRUCTIONS,
    D_DET,
    D_NR,
    D_R,
    D_RAND,
    NOISE,
    Construction,
    noise,
    start_index,
    target_class,
)
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.datasets.constructed.targeted_attack import targeted_construction
from explorer.engine import NoGradientError
from explorer.errors import Cancelled, UserError

PRECISIONS = ("float32", "bfloat16")


def pixels(data, n=8):
    return data.images[:n].float() / 255


def test_the_papers_parameters_are_the_defaults():
    matched, attacked = (1000, 0.1), (100, 0.1)
    assert [(each.steps, each.step_size) for each in (D_R, D_NR)] == [matched] * 2
    assert [(each.steps, each.step_size) for each in (D_RAND, D_DET)] == [attacked] * 2
    assert (D_RAND.epsilon, D_DET.epsilon, D_R.epsilon) == (0.5, 0.5, None)
    assert [name for name, each in CONSTRUCTIONS.items() if each.robust] == ["d_r"]


def test_a_person_sees_the_source_except_in_d_nr():
    assert [name for name, each in CONSTRUCTIONS.items() if each.looks_like == "start"] == ["d_nr"]
    assert [each.perceived_label(3, 5) for each in CONSTRUCTIONS.values()] == [3, 5, 3, 3]
    assert replace(D_NR, start=NOISE).perceived_label(3, None) is None
    assert [name for name, each in CONSTRUCTIONS.items() if each.matches_features] == [
        "d_r",
        "d_nr",
    ]


def test_a_linear_representation_is_matched_by_the_projection(linear):
    """Minimising ‖W x_r − W x‖ from x₀ gives x₀ + Wᵀ W (x − x₀), for an orthonormal W.

    The images are chosen so that the solution lies within [0, 1].
    """
    generator = torch.Generator().manual_seed(2)
    start = 0.4 + 0.2 * torch.rand((6, 3, 8, 8), generator=generator)
    source = (start + 0.05 * torch.randn(start.shape, generator=generator)).clamp(0, 1)
    construction = replace(D_NR, steps=400, step_size=0.005)
    result = match_representations(construction, linear, source, start, precision="float32")
    weight = linear.module.weight
    expected = start + ((source - start).flatten(1) @ weight.T @ weight).view_as(start)
    assert (expected >= 0).all()
    assert (expected <= 1).all()
    assert torch.allclose(result.images, expected, atol=0.006)
    distance = (linear.features(result.images) - linear.features(source)).norm(dim=1)
    assert torch.allclose(distance, result.objective.amin(dim=0), atol=1e-5)
    assert (distance <= 0.005).all()  # normalised steps get as near as their length


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_result_is_the_nearest_point_of_the_path(tiny, pictures, precision):
    points = []
    source, start = pixels(pictures), pixels(pictures).flip(0)
    construction = replace(D_R, steps=12, step_size=0.3)  # with long steps the distance rises too
    result = match_representations(
        construction,
        tiny,
        source,
        start,
        precision=precision,
        on_image=lambda step, image: points.append(image.clone()),
    )
    assert result.objective.shape == (13, 8)
    assert (result.objective.amin(dim=0) <= result.objective[0]).all()
    nearest = torch.stack(points)[result.objective.argmin(dim=0), torch.arange(8)]
    assert torch.equal(nearest, result.images)
    assert ((result.images >= 0) & (result.images <= 1)).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_an_image_that_has_the_representation_stays(tiny, pictures, precision):
    source = pixels(pictures)
    construction = replace(D_NR, steps=3)
    result = match_representations(construction, tiny, source, source, precision=precision)
    assert torch.equal(result.images, source)
    assert (result.objective.amin(dim=0) == 0).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("construction", [D_RAND, D_DET], ids=lambda each: each.name)
def test_attacked_images_lie_in_the_ball_also_after_rounding(
    tiny, pictures, construction, precision
):
    source = pixels(pictures)
    labels, short = pictures.labels[:8], replace(construction, steps=6)
    drawn = [target_class(construction, 0, i, int(label), 3) for i, label in enumerate(labels)]
    targets = torch.tensor(drawn)
    result = targeted_construction(short, tiny, source, labels, targets, precision=precision)
    assert ((result.images >= 0) & (result.images <= 1)).all()
    assert ((result.images - source).flatten(1).norm(dim=1) <= 0.5 + 1e-5).all()
    stored = (result.images * 255).round() / 255
    rounding = 0.5 / 255 * source[0].numel() ** 0.5
    assert ((stored - source).flatten(1).norm(dim=1) <= 0.5 + rounding + 1e-5).all()
    assert (result.objective.amin(dim=0) <= result.objective[0]).all()


def test_the_last_class_is_shifted_to_the_first():
    assert [target_class(D_DET, 0, label, label, 10) for label in range(10)] == [*range(1, 10), 0]


def test_random_labels_are_uniform_and_independent_of_the_label():
    drawn = torch.tensor([target_class(D_RAND, 7, index, index % 10, 10) for index in range(5000)])
    counts = torch.bincount(drawn, minlength=10).double()
    assert float(((counts - 500) ** 2 / 500).sum()) < 21.67  # chi-square, 9 degrees of freedom, 1 %
    unchanged = float((drawn == torch.arange(5000) % 10).double().mean())
    assert 0.07 < unchanged < 0.13  # an image's own class is not excluded
    assert [target_class(D_RAND, 7, index, 0, 10) for index in range(5000)] == drawn.tolist()


def test_starts_are_uniform_and_independent_of_the_order():
    starts = torch.tensor([start_index(3, index, 10) for index in range(5000)])
    counts = torch.bincount(starts, minlength=10).double()
    assert float(((counts - 500) ** 2 / 500).sum()) < 21.67
    assert start_index(3, 17, 10) == int(starts[17])
    assert [start_index(4, index, 10) for index in range(50)] != starts[:50].tolist()


def test_starts_are_independent_of_the_labels():
    """A χ² test of the start's label against the image's, in a table of 3 × 3."""
    labels = torch.arange(3000) % 3
    table = torch.zeros(3, 3)
    for index in range(3000):
        table[labels[index], labels[start_index(0, index, 3000)]] += 1
    expected = table.sum(1, keepdim=True) * table.sum(0, keepdim=True) / 3000
    statistic = float(((table - expected) ** 2 / expected).sum())
    assert statistic < 13.28  # 4 degrees of freedom, 1 %


def test_noise_depends_on_seed_and_index_alone():
    assert torch.equal(noise(1, 5, (3, 8, 8)), noise(1, 5, (3, 8, 8)))
    assert not torch.equal(noise(1, 5, (3, 8, 8)), noise(1, 6, (3, 8, 8)))
    assert not torch.equal(noise(1, 5, (3, 8, 8)), noise(2, 5, (3, 8, 8)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps must be"),
        ({"step_size": 0.0}, "step size must be"),
        ({"step_size": 1e20}, "step size must be above 0 and at most 1,000,000"),
        ({"step_size": float("inf")}, "step size must be"),
        ({"step_size": float("nan")}, "step size must be"),
        ({"start": "zebra"}, "unknown start"),
    ],
)
def test_impossible_parameters_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(D_R, **changes)
    with pytest.raises(ValueError, match="epsilon must be"):
        replace(D_RAND, epsilon=0.0)


def test_matching_can_be_stopped(tiny, pictures):
    answers = iter([False, False, True])
    with pytest.raises(Cancelled):
        match_representations(
            D_R,
            tiny,
            pixels(pictures),
            pixels(pictures).flip(0),
            precision="float32",
            cancelled=lambda: next(answers),
        )


class Detached(nn.Module):
    def features(self, images):
        return images.detach().flatten(1)

    def forward(self, images):
        return images.flatten(1)[:, :3]


class NotANumber(Detached):
    def features(self, images):
        return images.flatten(1) * float("nan")


class Headless(nn.Module):
    def forward(self, images):
        return images.flatten(1)[:, :3]


@pytest.mark.parametrize(
    ("module", "error", "words"),
    [
        (Detached(), NoGradientError, "not differentiable"),
        (NotANumber(), AttackError, "not finite"),
        (Headless(), ClassifierError, "no linear layer"),
    ],
)
def test_a_classifier_whose_features_cannot_be_matched_is_refused(pictures, module, error, words):
    classifier = Classifier(module, labels=("a", "b", "c"), input_size=(8, 8))
    short: Construction = replace(D_R, steps=2)
    with pytest.raises(error, match=words):
        match_representations(short, classifier, pixels(pictures), pixels(pictures).flip(0))


def test_shrinking_steps_end_at_the_last_length():
    construction = replace(D_R, steps=5, step_size=1.0, last_step_size=0.2)
    lengths = [construction.step_length(step) for step in range(5)]
    assert lengths == pytest.approx([1.0, 0.8, 0.6, 0.4, 0.2])
    assert [D_R.step_length(step) for step in (0, 999)] == [0.1, 0.1]
    assert replace(construction, steps=1).step_length(0) == 1.0
    for last in (0.0, 1.1, -1.0):
        with pytest.raises(UserError, match="must be longer than 0 and at most the first"):
            replace(D_R, step_size=1.0, last_step_size=last)


def test_matching_takes_shrinking_steps(tiny, pictures):
    source, start = pictures.images[:4].float() / 255, pictures.images[4:8].float() / 255
    points = []
    construction = replace(D_R, steps=4, step_size=0.4, last_step_size=0.1)
    match_representations(
        construction,
        tiny,
        source,
        start,
        precision="float32",
        on_image=lambda step, image: points.append(image.clone()),
    )
    lengths = [float((b - a).flatten(1).norm(dim=1).max()) for a, b in pairwise(points)]
    # Clipping to [0, 1] may shorten a step.
    assert lengths == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.02)
