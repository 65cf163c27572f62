"""What several classifiers believe of one image, as bars: which classes to show, in which order, in which colour.

The bars are drawn in the browser, where they line up with the pictures of a row; here is all that they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.experiments.ilyas2019.five_sets_result import ModelInfo, SetImage
from explorer.figures import palette
from explorer.figures.captions import percent

LABEL_ROLE, SEEN_ROLE = "label", "seen"


@dataclass(frozen=True)
class Bar:
    """One classifier's confidence in one class. ``striped`` bars belong to classifiers the image was not made with; ``says`` marks
    the class it holds most probable."""

    judge: str
    colour: str
    striped: bool
    value: float
    text: str
    says: bool


@dataclass(frozen=True)
class ClassBars:
    """A class, what it is to the image (:data:`LABEL_ROLE`, :data:`SEEN_ROLE`, both or neither), and a bar for each judge."""

    name: str
    roles: tuple[str, ...]
    bars: tuple[Bar, ...]


def model_colour(judge: ModelInfo) -> str:
    """Orange for a robust classifier, blue for any other, as everywhere."""
    return palette.ROBUST if judge.robust else palette.STANDARD


def short_names(models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """A name for each that fits beside a bar: what its kind is for the pair, its own name for any other."""
    return tuple(
        ("robust" if each.robust else "standard") if each.builder else each.name for each in models
    )


def prediction_bars(image: SetImage, models: Sequence[ModelInfo]) -> tuple[ClassBars, ...]:
    """The confidences worth seeing: in the label the image carries, in what a person sees, and in what each judge says, once each."""
    names = image.predictions[0].names
    said = [belief.index for belief in image.predictions]
    shown = dict.fromkeys(
        [image.label, *([] if image.perceived_label is None else [image.perceived_label]), *said]
    )
    return tuple(
        ClassBars(names[index], _roles(image, index), _bars(image, models, index))
        for index in shown
    )


def _roles(image: SetImage, index: int) -> tuple[str, ...]:
    return tuple(
        role
        for role, of in ((LABEL_ROLE, image.label), (SEEN_ROLE, image.perceived_label))
        if of == index
    )


def _bars(image: SetImage, models: Sequence[ModelInfo], index: int) -> tuple[Bar, ...]:
    bars = []
    for judge, short, belief in zip(models, short_names(models), image.predictions, strict=True):
        value = float(belief.probabilities[index])
        bars.append(
            Bar(
                short,
                model_colour(judge),
                not judge.builder,
                value,
                percent(value),
                belief.index == index,
            )
        )
    return tuple(bars)
