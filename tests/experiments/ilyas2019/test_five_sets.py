"""One source image in each set: its label, look and objective, and how it is made."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.classifiers import Classifier, load
from explorer.errors import Cancelled, UserError
from explorer.experiments.ilyas2019.five_sets import (
    make_five_sets,
    make_set_image,
    noise_start,
    other_start_index,
    with_label,
)
from explorer.experiments.ilyas2019.five_sets_result import (
    ORDER,
    ConstructionFrame,
    FiveSetsProgress,
    FiveSetsSettings,
    SourceImage,
    StartImage,
)
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.images.gallery import samples
from explorer.images.geometry import resize_and_crop

QUICK = FiveSetsSettings(match_steps=30, attack_steps=10, seed=4)


@pytest.fixture(scope="module")
def models() -> ModelPair:
    return ModelPair(load("cifar10-standard", device="cpu"), load("cifar10-robust", device="cpu"))


def sample(place: int) -> tuple[torch.Tensor, int]:
    pictures = samples("cifar10")
    if not pictures:
        pytest.skip("needs foolbox's sample pictures")
    return resize_and_crop(pictures[place].read(), (32, 32)), pictures[place].label


@pytest.fixture(scope="module")
def source() -> SourceImage:
    image, label = sample(0)
    return SourceImage(image, label, label, 0)


@pytest.fixture(scope="module")
def start() -> StartImage:
    return StartImage(*sample(6))


@pytest.fixture(scope="module")
def result_and_reports(models, source, start):
    reports: list[FiveSetsProgress] = []
    return make_five_sets(source, start, models, QUICK, on_progress=reports.append), reports


@pytest.fixture(scope="module")
def result(result_and_reports):
    return result_and_reports[0]


def test_each_image_has_the_label_of_its_set_and_the_class_it_looks_like(result, source, start):
    assert tuple(image.name for image in result.images) == ORDER
    assert [result.image(name).label for name in ("d", "d_r", "d_nr")] == [source.label] * 3
    assert result.image("d_det").label == (source.label + 1) % 10
    assert [image.perceived_label for image in result.images] == [
        source.label,
        source.label,
        start.label,
        source.label,
        source.label,
    ]


def test_images_are_rounded_to_8_bits_before_they_are_classified(result, models):
    for image in result.images:
        torch.testing.assert_close(
            image.image * 255, (image.image * 255).round(), atol=1e-4, rtol=0
        )
        for classifier, prediction in zip(models.classifiers, image.predictions, strict=True):
            torch.testing.assert_close(
                prediction.probabilities, classifier(image.image[None]).softmax(1)[0].detach()
            )


def test_the_objective_falls_and_attacked_images_stay_in_the_ball(result, source):
    for name, steps in (("d_r", 30), ("d_nr", 30), ("d_rand", 10), ("d_det", 10)):
        objective = result.image(name).objective
        assert len(objective) == steps + 1
        assert objective.min() < objective[0] / 2
    for name in ("d_rand", "d_det"):
        rounding = (source.image.numel() ** 0.5) * 0.5 / 255
        assert (result.image(name).image - source.image).norm() <= QUICK.epsilon + rounding
        assert torch.equal(result.image(name).start, source.image)


def test_d_nr_is_the_source_to_the_standard_classifier_and_the_start_to_the_robust_one(
    result, source, start
):
    standard, robust = result.image("d_nr").predictions
    assert standard.index == source.label
    assert robust.index == start.label


def test_progress_is_reported_at_every_step(result_and_reports, start):
    _, reports = result_and_reports
    assert len(reports) == 30 + 30 + 10 + 10
    assert [len(report.images) for report in reports[::30]] == [1, 2, 3]
    first, last = reports[0].frame, reports[29].frame
    assert torch.equal(first.image, start.image)
    assert (first.step, last.step, last.steps) == (0, 29, 30)
    assert len(last.objective) == 30
    assert torch.equal(last.start, first.image)
    assert not torch.equal(last.image, first.image)


@pytest.mark.parametrize("name", ["d_r", "d_rand"])
def test_one_image_alone_is_that_of_the_row(result, models, source, start, name):
    frames: list[ConstructionFrame] = []
    image = make_set_image(name, source, start, models, QUICK, on_frame=frames.append)
    assert torch.equal(image.image, result.image(name).image)
    objective = torch.tensor(frames[-1].objective)
    torch.testing.assert_close(objective, image.objective[:-1], rtol=0.05, atol=0.05)


def test_cancelling_raises_between_two_steps(models, source, start):
    frames: list[ConstructionFrame] = []
    callbacks = {"on_frame": frames.append, "cancelled": lambda: len(frames) >= 3}
    with pytest.raises(Cancelled):
        make_set_image("d_nr", source, start, models, QUICK, **callbacks)
    assert len(frames) == 3


def test_a_source_without_a_label_gets_the_robust_classifiers_prediction(models, source):
    unlabelled = SourceImage(source.image, None, None, -1)
    labelled = with_label(unlabelled, models)
    assert labelled.label == int(models.robust(source.image[None]).argmax())
    assert labelled.perceived_label is None
    with pytest.raises(ValueError, match="label"):
        make_set_image("d_r", unlabelled, noise_start(0, -1, (32, 32)), models, QUICK)


def test_noise_depends_on_seed_and_index_and_looks_like_no_class(models, source):
    start = noise_start(3, 5, (32, 32))
    assert torch.equal(start.image, noise_start(3, 5, (32, 32)).image)
    assert not torch.equal(start.image, noise_start(4, 5, (32, 32)).image)
    image = make_set_image("d_nr", source, start, models, FiveSetsSettings(match_steps=2))
    assert image.from_noise
    assert image.perceived_label is None


def test_the_random_start_is_never_the_picture_itself():
    assert {other_start_index(seed, 2, 5, own=2) for seed in range(60)} == {0, 1, 3, 4}
    assert {other_start_index(seed, 2, 3, own=None) for seed in range(60)} == {0, 1, 2}
    with pytest.raises(UserError, match="noise"):
        other_start_index(0, 0, 1, own=0)


def test_settings_scale_with_the_side_of_the_image():
    scaled = FiveSetsSettings(step_size=0.1, epsilon=0.5).for_size((64, 48))
    assert scaled == FiveSetsSettings(step_size=0.2, epsilon=1.0)


def test_classifiers_of_different_classes_are_refused(models):
    labels = [str(i) for i in range(10)]
    other = Classifier(models.standard.module, labels=labels, input_size=(32, 32), name="other")
    with pytest.raises(AttackError, match="other and cifar10-standard"):
        ModelPair(models.standard, other)
