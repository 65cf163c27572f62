"""A row of pictures for each classifier, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from explorer.classifiers import Entry
from explorer.experiments.one_image.report import Prediction
from explorer.figures.captions import percent
from explorer.figures.comparison_table import training_colour
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.imports import picture_drawn

_draw = component(__file__)


@dataclass(frozen=True)
class Tile:
    """A picture with the ``title`` above it; ``name`` and the lines of ``notes`` are below it.

    ``src`` is its address, ``pixelated`` says that its pixels show as squares, ``alt`` is what a
    screen reader says.
    """

    title: str
    src: str
    alt: str
    name: str
    notes: tuple[str, ...]
    pixelated: bool


@dataclass(frozen=True)
class Row:
    """A classifier's ``tiles`` under its ``title`` and a ``sentence`` about them."""

    title: str
    training: str
    colour: str
    sentence: str
    tiles: tuple[Tile, ...]


def tile(title: str, image: Tensor, name: str = "", *notes: str, alt: str = "") -> Tile:
    """A tile of a picture float32 [C, H, W] in [0, 1], as a lossless PNG."""
    said = ", ".join(part for part in (name, *notes) if part)
    return Tile(
        title=title,
        src=data_uri(to_png(image), "image/png"),
        alt=alt or f"{title}: {said}",
        name=name,
        notes=notes,
        pixelated=max(image.shape[-2:]) < PIXELATED_BELOW,
    )


def predicted_tile(title: str, image: Tensor, prediction: Prediction, *notes: str) -> Tile:
    """The same with what a classifier says of the picture below it."""
    confidence = f"{percent(prediction.confidence)} confidence"
    return tile(title, image, prediction.name, confidence, *notes)


def row(entry: Entry, sentence: str, tiles: Sequence[Tile]) -> Row:
    """The row of the classifier of ``entry``."""
    training = "robust" if entry.robust else "standard"
    return Row(entry.title, training, training_colour(entry.robust), sentence, tuple(tiles))


def picture_rows(rows: Sequence[Row], key: str) -> None:
    """Draw the rows one below the other."""
    _draw(key=key, data={"rows": [asdict(each) for each in rows]})
    picture_drawn()
