"""The bars beside an image."""

from __future__ import annotations

import torch

from explorer.experiments.ilyas2019.five_sets_result import ModelInfo, SetImage
from explorer.experiments.one_image.report import Prediction
from explorer.figures import palette
from explorer.figures.prediction_bars import LABEL_ROLE, LOOK_ROLE, prediction_bars

NAMES = ("cat", "dog", "ship", "truck")
MODELS = (
    ModelInfo("s", "CIFAR-10 standard", False, True),
    ModelInfo("r", "CIFAR-10 robust", True, True),
    ModelInfo("cifar10-d_r", "CIFAR-10 trained on D_R", False, False),
)


def image(label: int, perceived_label: int | None, *probabilities: list[float]) -> SetImage:
    predictions = tuple(Prediction(torch.tensor(row), NAMES) for row in probabilities)
    return SetImage(
        "d_nr", torch.zeros(3, 4, 4), label, perceived_label, None, None, None, predictions
    )


def test_the_label_then_the_look_then_the_predictions_each_class_once():
    probabilities = [0.1, 0.7, 0.1, 0.1], [0.2, 0.1, 0.6, 0.1], [0.6, 0.2, 0.1, 0.1]
    classes = prediction_bars(image(1, 0, *probabilities), MODELS)
    assert [(bars.name, bars.roles) for bars in classes] == [
        ("dog", (LABEL_ROLE,)),
        ("cat", (LOOK_ROLE,)),
        ("ship", ()),
    ]
    assert [[bar.is_prediction for bar in bars.bars] for bars in classes] == [
        [True, False, False],
        [False, False, True],
        [False, True, False],
    ]
    assert [bar.text for bar in classes[0].bars] == ["70.0 %", "10.0 %", "20.0 %"]


def test_one_class_can_be_the_label_and_the_look():
    (bars,) = prediction_bars(image(2, 2, *[[0.0, 0.0, 1.0, 0.0]] * 3), MODELS)
    assert bars.roles == (LABEL_ROLE, LOOK_ROLE)


def test_each_classifier_has_its_colour_and_stripes_are_models_outside_the_pair():
    (bars, *_) = prediction_bars(image(1, None, *[[0.0, 1.0, 0.0, 0.0]] * 3), MODELS)
    assert [(bar.classifier, bar.striped) for bar in bars.bars] == [
        ("standard", False),
        ("robust", False),
        ("trained on D_R", True),
    ]
    colours = [bar.colour for bar in bars.bars]
    assert colours[:2] == [palette.STANDARD, palette.ROBUST]
    assert colours[2] not in colours[:2]
