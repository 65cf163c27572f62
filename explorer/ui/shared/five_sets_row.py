"""One source in five sets side by side: images, labels and the confidence of each classifier."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor

from explorer.experiments.ilyas2019.five_sets_result import (
    ORDER,
    ConstructionFrame,
    FiveSetsProgress,
    FiveSetsResult,
    ModelInfo,
    SetImage,
)
from explorer.figures.prediction_bars import model_colours, prediction_bars
from explorer.figures.set_words import SETS, UNKNOWN, head, look_heading, looks_like, start_words
from explorer.images.distances import l2, magnification, perturbation_image
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.imports import picture_drawn
from explorer.ui.shared.set_explanations import built_with, explanation

PICTURE, FROM_START, FROM_SOURCE = "picture", "change from its start", "difference from the source"
VIEWS = (PICTURE, FROM_START, FROM_SOURCE)

_draw = component(__file__)


def five_sets_row(row: FiveSetsResult, view: str, key: str, *, explained: bool = True) -> None:
    """Draw a finished row in one of the :data:`VIEWS`; if ``explained``, with a text for each."""
    _draw(key=key, data=row_data(row, view, explained=explained))
    picture_drawn()


def draw_unfinished_row(
    progress: FiveSetsProgress, models: tuple[ModelInfo, ...], key: str
) -> None:
    """Draw the finished images, the image at its present step, and places for the others."""
    _draw(key=key, data=unfinished_row_data(progress, models))


def row_data(row: FiveSetsResult, view: str, *, explained: bool = True) -> dict[str, Any]:
    """Everything that the browser shows of a finished row."""
    cards = []
    for image in row.images:
        card = _picture(image, view, row.source.image, row.names)
        card |= _labels(image, row.names, row.models)
        if explained:
            card["built_with"] = built_with(image, row.models)
            card["explanation"] = [asdict(sentence) for sentence in explanation(row, image)]
        cards.append(card)
    return _data(cards, row.models, row.source.image)


def unfinished_row_data(
    progress: FiveSetsProgress, models: tuple[ModelInfo, ...]
) -> dict[str, Any]:
    """Everything that the browser shows of a row under construction."""
    frame = progress.frame
    names = progress.images[0].predictions[0].names
    finished = {image.name: image for image in progress.images}
    cards = []
    for name in ORDER:
        if name in finished:
            card = _picture(finished[name], PICTURE, frame.image, names)
            cards.append(card | _labels(finished[name], names, models))
        elif name == frame.name:
            cards.append(_frame(frame))
        else:
            cards.append({**_head(name), "src": None, "alt": "", "note": "waiting"})
    return _data(cards, models, frame.image)


def _data(
    cards: list[dict[str, Any]], models: tuple[ModelInfo, ...], image: Tensor
) -> dict[str, Any]:
    legend = [
        {"name": model.title, "colour": colour, "striped": not model.in_pair}
        for model, colour in zip(models, model_colours(models), strict=True)
    ]
    pixelated = max(image.shape[-2:]) < PIXELATED_BELOW
    return {"cards": cards, "legend": legend, "pixelated": pixelated}


def _head(name: str) -> dict[str, Any]:
    return {"name": SETS[name].short, "title": SETS[name].title}


def _head_of(image: SetImage) -> dict[str, Any]:
    words = head(image)
    return {"name": words.short, "title": words.title}


def _frame(frame: ConstructionFrame) -> dict[str, Any]:
    words = _head(frame.name)
    return {
        **words,
        "src": data_uri(to_png(frame.image), "image/png"),
        "alt": f"{words['name']} under construction",
        "note": f"step {frame.step} of {frame.steps}",
    }


def _labels(
    image: SetImage, names: tuple[str, ...], models: tuple[ModelInfo, ...]
) -> dict[str, Any]:
    look = looks_like(image, names)
    return {
        "label": names[image.label],
        "looks_like": look,
        "look_heading": look_heading(image),
        "differs": image.perceived_label != image.label and look != UNKNOWN,
        "classes": [asdict(bars) for bars in prediction_bars(image, models)],
    }


def _picture(image: SetImage, view: str, source: Tensor, names: tuple[str, ...]) -> dict[str, Any]:
    """The picture of a card in this view, and the line below it."""
    name = head(image).short
    if view == PICTURE:
        src = data_uri(to_png(image.image), "image/png")
        alt = f"{name}, labelled {names[image.label]}"
        return {**_head_of(image), "src": src, "alt": alt, **_start(image, names)}
    if image.start is None:  # rounding to 8 bits is no change
        reference = image.image
    else:
        reference = source if view == FROM_SOURCE else image.start
    difference = image.image - reference
    note = "not changed" if image.start is None else "no difference"
    if bool(difference.any()):
        scale, distance = magnification(difference), l2(image.image, reference)
        note = f"scaled × {scale:.3g}, L2 {distance:.3g}"
    src = data_uri(to_png(perturbation_image(difference)), "image/png")
    return {**_head_of(image), "src": src, "alt": f"{name}: {view}, {note}", "note": note}


def _start(image: SetImage, names: tuple[str, ...]) -> dict[str, Any]:
    """The line below a picture that says where its construction started."""
    note = {"note": start_words(image, names)}
    if image.start is None or not image.matches_features:
        return note
    return {**note, "thumbnail": data_uri(to_png(image.start), "image/png")}
