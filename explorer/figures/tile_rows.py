"""Rows of pictures, one for each classifier, as the pages and the printed figures show them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from explorer.experiments.one_image.report import Prediction
from explorer.figures.captions import confidence_text
from explorer.figures.series import classifier_colours


@dataclass(frozen=True, eq=False)
class Tile:
    """A picture float32 [C, H, W] in [0, 1] with its ``title`` above, ``name`` and ``notes`` below.

    ``name`` is what the picture is said to show; it and the notes may be empty.
    """

    title: str
    image: Tensor
    name: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TileRow:
    """A classifier's ``tiles`` under its ``title`` and a ``sentence`` about them."""

    title: str
    robust: bool
    sentence: str
    tiles: tuple[Tile, ...]


def row_colours(rows: Sequence[TileRow]) -> list[str]:
    """The colour of each row's classifier; rows of one classifier have one colour."""
    robust = {row.title: row.robust for row in rows}
    colours = dict(zip(robust, classifier_colours(robust.values()), strict=True))
    return [colours[row.title] for row in rows]


def predicted_tile(title: str, image: Tensor, prediction: Prediction, *notes: str) -> Tile:
    """A tile with what a classifier says of the picture, and its confidence."""
    confidence = f"{confidence_text(prediction.confidence)} confidence"
    return Tile(title, image, prediction.name, (confidence, *notes))
