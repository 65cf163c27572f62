"""The predictions of several classifiers for one image, as bars: their classes, order and colours.

The browser draws the bars, so that they line up with the pictures of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.experiments.ilyas2019.five_sets_result import D, ModelInfo, SetImage
from explorer.figures.captions import confidence_text
from explorer.figures.series import classifier_colours

LABEL_ROLE, LOOK_ROLE = "label", "intended look"


@dataclass(frozen=True)
class Bar:
    """One classifier's probability ``value`` of one class.

    ``striped`` bars belong to classifiers with which no image is made. ``is_prediction`` says that
    the class is the classifier's most probable one.
    """

    classifier: str
    colour: str
    striped: bool
    value: float
    text: str
    is_prediction: bool


@dataclass(frozen=True)
class ClassBars:
    """A class with one bar for each classifier.

    ``roles`` say what the class is to the image: :data:`LABEL_ROLE` for its label,
    :data:`LOOK_ROLE` for the class that it should look like, both or neither.
    """

    name: str
    roles: tuple[str, ...]
    bars: tuple[Bar, ...]


def model_colours(models: Sequence[ModelInfo]) -> list[str]:
    """Blue and orange for the pair of a row, and another colour for each other classifier."""
    return classifier_colours(model.robust for model in models)


def short_names(models: Sequence[ModelInfo]) -> tuple[str, ...]:
    """Names that fit beside a bar: "standard" and "robust" for the pair, else the model's title.

    A title leaves out the first words that all of them have, such as "CIFAR-10".
    """
    titles = [each.title.split() for each in models]
    shared = 0
    while all(len(title) > shared + 1 for title in titles) and (
        len({title[shared] for title in titles}) == 1
    ):
        shared += 1
    return tuple(
        ("robust" if each.robust else "standard") if each.in_pair else " ".join(title[shared:])
        for each, title in zip(models, titles, strict=True)
    )


def prediction_bars(image: SetImage, models: Sequence[ModelInfo]) -> tuple[ClassBars, ...]:
    """The label, the class the image should look like, and each prediction, each class once."""
    names = image.predictions[0].names
    looks = [] if image.perceived_label is None else [image.perceived_label]
    predicted = [prediction.index for prediction in image.predictions]
    classes = dict.fromkeys([image.label, *looks, *predicted])
    return tuple(
        ClassBars(names[index], _roles(image, index), _bars(image, models, index))
        for index in classes
    )


def _roles(image: SetImage, index: int) -> tuple[str, ...]:
    """An unchanged picture that fits its label has no intended look besides."""
    classes = {LABEL_ROLE: image.label, LOOK_ROLE: image.perceived_label}
    if image.name == D and image.label == image.perceived_label:
        del classes[LOOK_ROLE]
    return tuple(role for role, of_role in classes.items() if of_role == index)


def _bars(image: SetImage, models: Sequence[ModelInfo], index: int) -> tuple[Bar, ...]:
    bars = []
    columns = models, short_names(models), model_colours(models), image.predictions
    for model, name, colour, prediction in zip(*columns, strict=True):
        value, is_prediction = float(prediction.probabilities[index]), prediction.index == index
        striped = not model.in_pair
        bars.append(Bar(name, colour, striped, value, confidence_text(value), is_prediction))
    return tuple(bars)
