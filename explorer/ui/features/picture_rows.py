"""A row of pictures for each classifier, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from explorer.figures.comparison_table import training_colour
from explorer.figures.tile_rows import Tile, TileRow
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.shared.imports import picture_drawn

_draw = component(__file__)


def picture_rows(rows: Sequence[TileRow], key: str) -> None:
    """Draw the rows one below the other."""
    _draw(key=key, data={"rows": list(map(_row_data, rows))})
    picture_drawn()


def _row_data(row: TileRow) -> dict[str, Any]:
    """Everything that the browser shows of a row: plain text and lossless PNGs."""
    return {
        "title": row.title,
        "training": "robust" if row.robust else "standard",
        "colour": training_colour(row.robust),
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
