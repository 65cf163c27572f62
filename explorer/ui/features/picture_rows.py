"""A row of pictures for each classifier, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.figures.tile_rows import Tile, TileRow, row_colours
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.imports import picture_drawn

_draw = component(__file__)


def picture_rows(rows: Sequence[TileRow], key: str, colour: str | None = None) -> None:
    """Draw the rows one below the other, each marked with the colour of its classifier.

    Rows that are only a part of what the page shows get the ``colour`` that they have there.
    """
    colours = row_colours(rows) if colour is None else [colour] * len(rows)
    _draw(key=key, data={"rows": list(map(_row_data, rows, colours))})
    picture_drawn()


def _row_data(row: TileRow, colour: str) -> dict[str, Any]:
    """Everything that the browser shows of a row: plain text and lossless PNGs."""
    return {
        "title": row.title,
        "training": "robust" if row.robust else "standard",
        "colour": colour,
        "sentence": row.sentence,
        "tiles": list(map(_tile_data, row.tiles)),
    }


def _tile_data(tile: Tile) -> dict[str, Any]:
    said = ", ".join(part for part in (tile.name, *tile.notes) if part)
    return {
        "title": tile.title,
        "src": data_uri(to_png(tile.image), "image/png"),
        "alt": f"{tile.title}: {said}" if said else tile.title,
        "name": tile.name,
        "notes": list(tile.notes),
        "pixelated": max(tile.image.shape[-2:]) < PIXELATED_BELOW,
    }
