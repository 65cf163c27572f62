"""Inversion: features come nearer, and those of an invertible network bring the picture back."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier, load
from explorer.experiments.features.asked import FeatureError
from explorer.experiments.features.inversion import InversionFrame, InversionSettings, invert
from explorer.images.gallery import samples
from explorer.images.geometry import preprocess
from tests.experiments.features.pictures import small_picture
from tests.small_models import SIDE


class Pixels(nn.Module):
    """A network whose features are the pixels themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(3 * SIDE * SIDE, 2)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(images.flatten(1))


def pixel_classifier() -> Classifier:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Pixels()
    return Classifier(module.eval(), labels=["one", "two"], input_size=(SIDE, SIDE))


def test_features_that_are_the_pixels_bring_the_picture_back():
    picture, model = small_picture(), pixel_classifier()
    (answer,) = invert({"pixels": model}, picture, InversionSettings(steps=400))
    image = preprocess(picture, model)
    assert torch.equal(answer.picture, image)
    torch.testing.assert_close(answer.image, image, atol=4 / 255, rtol=0)
    assert answer.nearest < 0.03 < answer.distances[0]
    expected = float((answer.start - image).norm() / image.norm())
    assert answer.distances[0] == pytest.approx(expected, rel=1e-4)
    assert answer.pixel_distance == pytest.approx(float((answer.image - image).norm()), rel=1e-4)


def test_the_bundled_classifiers_come_near_and_the_robust_one_nearer_to_the_picture():
    names = ("cifar10-standard", "cifar10-robust")
    frames: list[InversionFrame] = []
    steps: list[int] = []
    picture = samples("cifar10")[0].read()
    standard, robust = invert(
        {name: load(name) for name in names},
        picture,
        InversionSettings(steps=60),
        on_step=lambda done, total: steps.append(total),
        on_frame=frames.append,
    )
    assert steps == [120] * 120
    assert {frame.name for frame in frames} == set(names)
    assert torch.equal(standard.start, robust.start)
    for answer in (standard, robust):
        assert len(answer.distances) == 61
        assert answer.nearest < 0.25 * answer.distances[0]
        assert answer.prediction.index == answer.target.index
    assert robust.similarity > standard.similarity


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"steps": 0}, "steps must be from 1"), ({"start": "data"}, "one of noise, grey")],
)
def test_settings_out_of_range_are_named(settings, message):
    with pytest.raises(FeatureError, match=message):
        InversionSettings(**settings)
