"""One source in each set: what is made, what it is called, and that it can be repeated and stopped."""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import AttackError
from explorer.classifiers import Classifier, load
from explorer.errors import Cancelled
from explorer.experiments.ilyas2019.five_sets import (
    ModelPair,
    drawn_start,
    make,
    make_five_sets,
    noise_start,
    with_label,
)
from explorer.experiments.ilyas2019.five_sets_result import (
    ORDER,
    Frame,
    Settings,
    Source,
    Stage,
    Start,
)
from explorer.images.gallery import samples
from explorer.images.geometry import resize_and_crop

QUICK = Settings(match_steps=30, attack_steps=10, seed=4)


@pytest.fixture(scope="module")
def panel() -> ModelPair:
    return ModelPair(load("cifar10-standard", device="cpu"), load("cifar10-robust", device="cpu"))


def sample(place: int) -> tuple[torch.Tensor, int]:
    found = samples("cifar10")
    if not found:
        pytest.skip("needs foolbox's sample pictures")
    return resize_and_crop(found[place].read(), (32, 32)), found[place].label


@pytest.fixture(scope="module")
def source() -> Source:
    image, label = sample(0)
    return Source(image, label, label, 0)


@pytest.fixture(scope="module")
def start() -> Start:
    return Start(*sample(6))


@pytest.fixture(scope="module")
def row_and_stages(panel, source, start):
    stages: list[Stage] = []
    return make_five_sets(source, start, panel, QUICK, on_stage=stages.append), stages


def test_each_image_carries_the_label_its_set_gives_and_what_a_person_sees(
    row_and_stages, source, start
):
    row, _ = row_and_stages
    assert tuple(image.name for image in row.images) == ORDER
    assert [row.image(name).label for name in ("d", "d_r", "d_nr")] == [source.label] * 3
    assert row.image("d_det").label == (source.label + 1) % 10
    assert [image.perceived_label for image in row.images] == [
        source.label,
        source.label,
        start.label,
        source.label,
        source.label,
    ]


def test_stored_in_8_bits_and_judged_as_stored(row_and_stages, panel):
    row, _ = row_and_stages
    for image in row.images:
        torch.testing.assert_close(
            image.image * 255, (image.image * 255).round(), atol=1e-4, rtol=0
        )
        for classifier, belief in zip(panel.classifiers, image.predictions, strict=True):
            torch.testing.assert_close(
                belief.probabilities, classifier(image.image[None]).softmax(1)[0].detach()
            )


def test_the_objective_falls_and_the_attacked_stay_in_the_ball(row_and_stages, source):
    row, _ = row_and_stages
    for name, steps in (("d_r", 30), ("d_nr", 30), ("d_rand", 10), ("d_det", 10)):
        path = row.image(name).objective
        assert len(path) == steps + 1
        assert path.min() < path[0] / 2
    for name in ("d_rand", "d_det"):
        rounding = (source.image.numel() ** 0.5) * 0.5 / 255
        assert (row.image(name).image - source.image).norm() <= QUICK.epsilon + rounding
        assert torch.equal(row.image(name).start, source.image)


def test_d_nr_stays_like_its_start_for_the_robust_classifier_and_is_the_source_for_the_standard(
    row_and_stages, source, start
):
    standard, robust = row_and_stages[0].image("d_nr").predictions
    assert standard.index == source.label
    assert robust.index == start.label


def test_the_stages_show_every_step(row_and_stages, start):
    _, stages = row_and_stages
    assert len(stages) == 30 + 30 + 10 + 10
    assert [len(stage.made) for stage in stages[::30]] == [1, 2, 3]
    first, last = stages[0].frame, stages[29].frame
    assert torch.equal(first.image, start.image)
    assert (first.step, last.step, last.steps) == (0, 29, 30)
    assert len(last.objective) == 30
    assert torch.equal(last.start, first.image)
    assert not torch.equal(last.image, first.image)


@pytest.mark.parametrize("name", ["d_r", "d_rand"])
def test_one_image_alone_is_that_of_the_row(row_and_stages, panel, source, start, name):
    frames: list[Frame] = []
    made = make(name, source, start, panel, QUICK, on_frame=frames.append)
    assert torch.equal(made.image, row_and_stages[0].image(name).image)
    torch.testing.assert_close(
        torch.tensor(frames[-1].objective), made.objective[:-1], rtol=0.05, atol=0.05
    )


def test_cancelled_between_two_steps(panel, source, start):
    frames: list[Frame] = []
    with pytest.raises(Cancelled):
        make(
            "d_nr",
            source,
            start,
            panel,
            QUICK,
            on_frame=frames.append,
            cancelled=lambda: len(frames) >= 3,
        )
    assert len(frames) == 3


def test_a_source_without_a_label_takes_the_robust_classifiers(panel, source):
    nameless = with_label(Source(source.image, None, None, -1), panel)
    assert nameless.label == int(panel.robust(source.image[None]).argmax())
    assert nameless.perceived_label is None
    with pytest.raises(ValueError, match="label"):
        make(
            "d_r", Source(source.image, None, None, -1), noise_start(0, -1, (32, 32)), panel, QUICK
        )


def test_noise_depends_on_seed_and_index_and_shows_nothing(panel, source):
    start = noise_start(3, 5, (32, 32))
    assert torch.equal(start.image, noise_start(3, 5, (32, 32)).image)
    assert not torch.equal(start.image, noise_start(4, 5, (32, 32)).image)
    made = make("d_nr", source, start, panel, Settings(match_steps=2))
    assert made.from_noise
    assert made.perceived_label is None


def test_the_drawn_start_is_never_the_picture_itself():
    drawn = {drawn_start(seed, 2, 5, avoid=2) for seed in range(60)}
    assert drawn == {0, 1, 3, 4}
    assert {drawn_start(seed, 2, 3, avoid=None) for seed in range(60)} == {0, 1, 2}
    with pytest.raises(ValueError, match="noise"):
        drawn_start(0, 0, 1, avoid=0)


def test_a_panel_of_different_classes_is_refused(panel):
    other = Classifier(
        panel.standard.module, labels=[str(i) for i in range(10)], input_size=(32, 32), name="other"
    )
    with pytest.raises(AttackError, match="other and cifar10-standard"):
        ModelPair(panel.standard, other)
