"""The four constructions: closed forms where the representation is linear, the paper's labels, and what every set must obey."""

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
    Construction,
    noise,
    start_index,
    target_class,
)
from explorer.datasets.constructed.representation_matching import match_representations
from explorer.datasets.constructed.targeted_attack import targeted_construction
from explorer.errors import Cancelled

PRECISIONS = ("float32", "bfloat16")


def pixels(data, n=8):
    return data.images[:n].float() / 255


def test_the_papers_parameters_are_the_defaults():
    assert [(c.steps, c.step_size) for c in (D_R, D_NR, D_RAND, D_DET)] == [
        (1000, 0.1),
        (1000, 0.1),
        (100, 0.1),
        (100, 0.1),
    ]
    assert (D_RAND.epsilon, D_DET.epsilon, D_R.epsilon) == (0.5, 0.5, None)
    assert [name for name, each in CONSTRUCTIONS.items() if each.robust] == ["d_r"]


def test_a_linear_representation_is_matched_by_the_projection(linear):
    """min ‖W x_r − W x‖ from x₀, W orthonormal, along the gradient: x₀ + Wᵀ W (x − x₀), where it lies within [0, 1]."""
    generator = torch.Generator().manual_seed(2)
    start = 0.4 + 0.2 * torch.rand((6, 3, 8, 8), generator=generator)
    source = (start + 0.05 * torch.randn(start.shape, generator=generator)).clamp(0, 1)
    found = match_representations(
        replace(D_NR, steps=400, step_size=0.005), linear, source, start, precision="float32"
    )
    weight = linear.module.weight
    expected = start + ((source - start).flatten(1) @ weight.T @ weight).view_as(start)
    assert (expected >= 0).all()
    assert (expected <= 1).all()
    assert torch.allclose(found.images, expected, atol=0.006)
    kept = (linear.features(found.images) - linear.features(source)).norm(dim=1)
    assert torch.allclose(kept, found.objective.amin(dim=0), atol=1e-5)
    assert (kept <= 0.005).all()  # a step's length is how near normalised steps come


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_kept_point_is_the_nearest_of_the_path(tiny, pictures, precision):
    points = []
    source, start = pixels(pictures), pixels(pictures).flip(0)
    construction = replace(D_R, steps=12, step_size=0.3)  # long steps: the distance rises in places
    found = match_representations(
        construction,
        tiny,
        source,
        start,
        precision=precision,
        on_image=lambda step, image: points.append(image.clone()),
    )
    assert found.objective.shape == (13, 8)
    assert (found.objective.amin(dim=0) <= found.objective[0]).all()
    nearest = torch.stack(points)[found.objective.argmin(dim=0), torch.arange(8)]
    assert torch.equal(nearest, found.images)
    assert ((found.images >= 0) & (found.images <= 1)).all()


@pytest.mark.parametrize("precision", PRECISIONS)
def test_an_image_whose_representation_is_there_already_stays(tiny, pictures, precision):
    source = pixels(pictures)
    found = match_representations(replace(D_NR, steps=3), tiny, source, source, precision=precision)
    assert torch.equal(found.images, source)
    assert (found.objective.amin(dim=0) == 0).all()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("construction", [D_RAND, D_DET], ids=lambda each: each.name)
def test_attacked_images_lie_in_the_ball_also_after_rounding(
    tiny, pictures, construction, precision
):
    source = pixels(pictures)
    targets = torch.tensor(
        [target_class(construction, 0, i, int(y), 3) for i, y in enumerate(pictures.labels[:8])]
    )
    made = targeted_construction(
        replace(construction, steps=6),
        tiny,
        source,
        pictures.labels[:8],
        targets,
        precision=precision,
    )
    assert ((made.images >= 0) & (made.images <= 1)).all()
    assert ((made.images - source).flatten(1).norm(dim=1) <= 0.5 + 1e-5).all()
    stored = (made.images * 255).round() / 255
    rounding = 0.5 / 255 * source[0].numel() ** 0.5
    assert ((stored - source).flatten(1).norm(dim=1) <= 0.5 + rounding + 1e-5).all()
    assert (made.objective.amin(dim=0) <= made.objective[0]).all()


def test_shifted_labels_go_round():
    assert [target_class(D_DET, 0, i, label, 10) for i, label in enumerate(range(10))] == [
        1,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        0,
    ]


def test_random_labels_are_uniform_over_all_classes_whatever_the_label():
    drawn = torch.tensor([target_class(D_RAND, 7, index, index % 10, 10) for index in range(5000)])
    counts = torch.bincount(drawn, minlength=10).double()
    assert float(((counts - 500) ** 2 / 500).sum()) < 21.67  # chi-square, 9 degrees of freedom, 1 %
    assert (
        0.07 < float((drawn == torch.arange(5000) % 10).double().mean()) < 0.13
    )  # one's own class is not left out
    assert [target_class(D_RAND, 7, index, 0, 10) for index in range(5000)] == drawn.tolist()


def test_starts_are_uniform_and_independent_of_the_order():
    starts = torch.tensor([start_index(3, index, 10) for index in range(5000)])
    counts = torch.bincount(starts, minlength=10).double()
    assert float(((counts - 500) ** 2 / 500).sum()) < 21.67
    assert start_index(3, 17, 10) == int(starts[17])
    assert [start_index(4, index, 10) for index in range(50)] != starts[:50].tolist()


def test_starts_say_nothing_of_the_labels():
    """The label of the start, against that of the image it is for: a table of 3 × 3 no further from independence than chance."""
    labels = torch.arange(3000) % 3
    table = torch.zeros(3, 3)
    for index in range(3000):
        table[labels[index], labels[start_index(0, index, 3000)]] += 1
    expected = table.sum(1, keepdim=True) * table.sum(0, keepdim=True) / 3000
    assert (
        float(((table - expected) ** 2 / expected).sum()) < 13.28
    )  # chi-square, 4 degrees of freedom, 1 %


def test_noise_depends_on_seed_and_index_alone():
    assert torch.equal(noise(1, 5, (3, 8, 8)), noise(1, 5, (3, 8, 8)))
    assert not torch.equal(noise(1, 5, (3, 8, 8)), noise(1, 6, (3, 8, 8)))
    assert not torch.equal(noise(1, 5, (3, 8, 8)), noise(2, 5, (3, 8, 8)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps must be"),
        ({"step_size": 0.0}, "step size must be"),
        ({"step_size": float("inf")}, "step size must be"),
        ({"step_size": float("nan")}, "step size must be"),
        ({"start": "zebra"}, "unknown start"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        replace(D_R, **changes)
    with pytest.raises(ValueError, match="epsilon must be"):
        replace(D_RAND, epsilon=0.0)


def test_matching_can_be_stopped(tiny, pictures):
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        match_representations(
            D_R,
            tiny,
            pixels(pictures),
            pixels(pictures).flip(0),
            precision="float32",
            cancelled=lambda: next(asked),
        )


class Detached(nn.Module):
    def features(self, images):
        return images.detach().flatten(1)

    def forward(self, images):
        return images.flatten(1)[:, :3]


class Endless(Detached):
    def features(self, images):
        return images.flatten(1) * float("nan")


class Headless(nn.Module):
    def forward(self, images):
        return images.flatten(1)[:, :3]


@pytest.mark.parametrize(
    ("module", "error", "words"),
    [
        (Detached(), AttackError, "not differentiable"),
        (Endless(), AttackError, "not finite"),
        (Headless(), ClassifierError, "no linear layer"),
    ],
)
def test_a_classifier_that_cannot_be_matched_is_refused(pictures, module, error, words):
    classifier = Classifier(module, labels=("a", "b", "c"), input_size=(8, 8))
    short: Construction = replace(D_R, steps=2)
    with pytest.raises(error, match=words):
        match_representations(short, classifier, pixels(pictures), pixels(pictures).flip(0))


def test_steps_that_shrink_end_at_the_last_length():
    construction = replace(D_R, steps=5, step_size=1.0, last_step_size=0.2)
    assert [construction.step_length(step) for step in range(5)] == pytest.approx(
        [1.0, 0.8, 0.6, 0.4, 0.2]
    )
    assert [D_R.step_length(step) for step in (0, 999)] == [0.1, 0.1]
    assert replace(construction, steps=1).step_length(0) == 1.0
    for last in (0.0, 1.1, -1.0):
        with pytest.raises(
            ValueError, match="the last step must be longer than 0 and at most the first"
        ):
            replace(D_R, step_size=1.0, last_step_size=last)


def test_shrinking_steps_are_taken(tiny, pictures):
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
    assert lengths == pytest.approx(
        [0.4, 0.3, 0.2, 0.1], abs=0.02
    )  # clipping to [0, 1] may shorten one
