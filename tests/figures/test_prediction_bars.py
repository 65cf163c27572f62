"""Which bars stand beside an image."""

from __future__ import annotations

import torch

from explorer.experiments.ilyas2019.five_sets_result import ModelInfo, SetImage
from explorer.experiments.one_image.report import Prediction
from explorer.figures import palette
from explorer.figures.prediction_bars import LABEL_ROLE, SEEN_ROLE, prediction_bars

NAMES = ("cat", "dog", "ship", "truck")
JUDGES = (
    ModelInfo("s", "S", False, True),
    ModelInfo("r", "R", True, True),
    ModelInfo("cifar10-d_r", "T", False, False),
)


def image(label: int, perceived_label: int | None, *probabilities: list[float]) -> SetImage:
    beliefs = tuple(Prediction(torch.tensor(row), NAMES) for row in probabilities)
    return SetImage("d_nr", torch.zeros(3, 4, 4), label, perceived_label, None, None, None, beliefs)


def test_label_then_seen_then_answers_each_once():
    shown = prediction_bars(
        image(1, 0, [0.1, 0.7, 0.1, 0.1], [0.2, 0.1, 0.6, 0.1], [0.6, 0.2, 0.1, 0.1]), JUDGES
    )
    assert [(bars.name, bars.roles) for bars in shown] == [
        ("dog", (LABEL_ROLE,)),
        ("cat", (SEEN_ROLE,)),
        ("ship", ()),
    ]
    assert [[bar.says for bar in bars.bars] for bars in shown] == [
        [True, False, False],
        [False, False, True],
        [False, True, False],
    ]
    assert [bar.text for bar in shown[0].bars] == ["70.0 %", "10.0 %", "20.0 %"]


def test_one_class_can_be_both():
    (bars,) = prediction_bars(image(2, 2, *[[0.0, 0.0, 1.0, 0.0]] * 3), JUDGES)
    assert bars.roles == (LABEL_ROLE, SEEN_ROLE)


def test_colours_say_what_kind_and_stripes_who_only_looks_on():
    (bars, *_) = prediction_bars(image(1, None, *[[0.0, 1.0, 0.0, 0.0]] * 3), JUDGES)
    assert [(bar.judge, bar.colour, bar.striped) for bar in bars.bars] == [
        ("standard", palette.STANDARD, False),
        ("robust", palette.ROBUST, False),
        ("cifar10-d_r", palette.STANDARD, True),
    ]
