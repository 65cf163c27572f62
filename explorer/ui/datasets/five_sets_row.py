"""One source in five sets, side by side: the pictures, their labels, and what each classifier believes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import Tensor

from explorer.experiments.ilyas2019.five_sets_result import (
    ORDER,
    FiveSetsResult,
    ConstructionFrame,
    ModelInfo,
    SetImage,
    FiveSetsProgress,
)
from explorer.figures.prediction_bars import model_colour, prediction_bars
from explorer.images.distances import l2, magnification, perturbation_image
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.datasets.words import NOT_SAID, SETS, made_with, seen, shows
from explorer.ui.shared.imports import picture_shown

PICTURE, FROM_START, FROM_SOURCE = "picture", "change from its start", "difference to the source"
VIEWS = (PICTURE, FROM_START, FROM_SOURCE)

_draw = component(__file__)


def five_sets_row(row: FiveSetsResult, view: str, key: str) -> None:
    """Draw a finished row in one of the :data:`VIEWS`."""
    _draw(key=key, data=row_data(row, view))
    picture_shown()


def row_in_the_making(stage: FiveSetsProgress, models: tuple[ModelInfo, ...], key: str) -> None:
    """Draw what there is of a row: finished images, the present point of the next, and room for the others."""
    _draw(key=key, data=stage_data(stage, models))


def row_data(row: FiveSetsResult, view: str) -> dict[str, Any]:
    """Everything the browser shows of a finished row."""
    cards = []
    for image in row.images:
        does, does_not = shows(row, image)
        cards.append(
            {
                **_picture(image, view, row.source.image, row.names),
                **_labels(image, row.names, row.models),
                "made": made_with(image, row.models),
                "shows": does,
                "shows_not": does_not,
            }
        )
    return _data(cards, row.models, row.source.image)


def stage_data(stage: FiveSetsProgress, models: tuple[ModelInfo, ...]) -> dict[str, Any]:
    """The same of a row in the making."""
    names = stage.made[0].predictions[0].names
    made = {image.name: image for image in stage.made}
    cards = []
    for name in ORDER:
        if name in made:
            cards.append(
                {
                    **_picture(made[name], PICTURE, stage.frame.image, names),
                    **_labels(made[name], names, models),
                }
            )
        elif name == stage.frame.name:
            cards.append(_frame(stage.frame))
        else:
            cards.append({**_head(name), "src": None, "alt": "", "note": "waiting"})
    return _data(cards, models, stage.frame.image)


def _data(
    cards: list[dict[str, Any]], models: tuple[ModelInfo, ...], like: Tensor
) -> dict[str, Any]:
    legend = [
        {"name": judge.title, "colour": model_colour(judge), "striped": not judge.in_pair}
        for judge in models
    ]
    return {"cards": cards, "legend": legend, "pixelated": max(like.shape[-2:]) < PIXELATED_BELOW}


def _head(name: str) -> dict[str, Any]:
    return {"name": SETS[name].short, "title": SETS[name].title}


def _frame(frame: ConstructionFrame) -> dict[str, Any]:
    src = data_uri(to_png(frame.image), "image/png")
    return {
        **_head(frame.name),
        "src": src,
        "alt": f"{frame.name} in the making",
        "note": f"step {frame.step} of {frame.steps}",
    }


def _labels(
    image: SetImage, names: tuple[str, ...], models: tuple[ModelInfo, ...]
) -> dict[str, Any]:
    return {
        "label": names[image.label],
        "seen": seen(image, names),
        "differs": image.perceived_label != image.label and seen(image, names) != NOT_SAID,
        "classes": [asdict(bars) for bars in prediction_bars(image, models)],
    }


def _picture(image: SetImage, view: str, source: Tensor, names: tuple[str, ...]) -> dict[str, Any]:
    """The picture of a card in this view, and the line under it that says what is seen."""
    other = {
        PICTURE: None,
        FROM_START: image.start,
        FROM_SOURCE: None if image.start is None else source,
    }[view]
    head = _head(image.name)
    if other is None:
        shown = {
            "src": data_uri(to_png(image.image), "image/png"),
            "alt": f"{head['name']}, labelled {names[image.label]}",
        }
        return {**head, **shown, **_began(image, names)}
    delta = image.image - other
    note = (
        f"magnified {magnification(delta):.3g} ×, L2 {l2(image.image, other):.3g}"
        if bool(delta.any())
        else "no difference"
    )
    src = data_uri(to_png(perturbation_image(delta)), "image/png")
    return {**head, "src": src, "alt": f"{head['name']}: {view}, {note}", "note": note}


def _began(image: SetImage, names: tuple[str, ...]) -> dict[str, Any]:
    """The line under a picture: where it began."""
    if image.start is None:
        return {"note": "the source itself"}
    if not image.matched:
        return {"note": "start: the source"}
    begun = (
        "noise"
        if image.from_noise
        else "start picture"
        if image.start_label is None
        else names[image.start_label]
    )
    return {"note": f"start: {begun}", "thumbnail": data_uri(to_png(image.start), "image/png")}
