"""A page of a set as tiles for print: image, label, and two bars for the confidence in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from explorer.figures.palette import INK, INK_QUIET, ROBUST, STANDARD
from explorer.figures.print_canvas import Canvas, fitting_size, line_height, wrap

WIDTH, MARGIN, GAP = 7.0, 0.08, 0.09  # inches, as are all lengths below
COLUMNS = 8
SIDE = (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
BAR_HEIGHT, SPACE = 0.05, 0.03
LABEL_SIZE, CAPTION_SIZE = 6.5, 6.5  # points
LABEL_LINES = 2
BACKGROUND = "#ECECEC"  # of a bar


@dataclass(frozen=True)
class PrintTile:
    """``pixels`` uint8 [H, W, 3] with their ``label``.

    ``confidence`` is that of the standard and of the robust classifier in the label, if known.
    """

    pixels: NDArray[np.uint8]
    label: str
    confidence: tuple[float, float] | None


def tiles_figure(tiles: Sequence[PrintTile], caption: str) -> Figure:
    """The tiles in rows of eight, in their order, above the caption."""
    size = fitting_size([tile.label for tile in tiles], SIDE, LABEL_SIZE)
    labels = [wrap(tile.label, SIDE, size)[:LABEL_LINES] for tile in tiles]
    text = max(map(len, labels), default=1) * line_height(LABEL_SIZE)
    height = SIDE + SPACE + text + 2 * (BAR_HEIGHT + SPACE) + GAP
    rows = -(-len(tiles) // COLUMNS)
    below = wrap(caption, WIDTH - 2 * MARGIN, CAPTION_SIZE)
    canvas = Canvas(WIDTH, MARGIN + rows * height + len(below) * line_height(CAPTION_SIZE) + SPACE)
    for index, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
        left = MARGIN + index % COLUMNS * (SIDE + GAP)
        top = MARGIN + index // COLUMNS * height
        canvas.picture(left, top, SIDE, tile.pixels)
        canvas.lines(left + SIDE / 2, top + SIDE + SPACE, label, size, INK)
        bar = top + SIDE + SPACE + text
        for value, colour in zip(tile.confidence or (), (STANDARD, ROBUST), strict=False):
            canvas.box(left, bar, SIDE, BAR_HEIGHT, BACKGROUND)
            canvas.box(left, bar, SIDE * value, BAR_HEIGHT, colour)
            bar += BAR_HEIGHT + SPACE
    canvas.lines(WIDTH / 2, MARGIN + rows * height, below, CAPTION_SIZE, INK_QUIET)
    return canvas.figure
