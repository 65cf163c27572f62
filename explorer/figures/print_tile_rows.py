"""Rows of pictures for print: each classifier's title, its pictures, and their captions."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from explorer.figures.palette import INK, INK_QUIET
from explorer.figures.print_canvas import Canvas, fitting_size, line_height, wrap
from explorer.figures.tile_rows import Tile, TileRow, row_colours
from explorer.images.geometry import to_uint8

WIDTH, MARGIN, GAP = 7.0, 0.08, 0.12  # inches, as are all lengths below
MAX_SIDE, ROW_GAP, SPACE = 1.6, 0.16, 0.04
HEADING_SIZE, SENTENCE_SIZE, TITLE_SIZE, NAME_SIZE = 9.5, 7.5, 7.0, 8.5  # points
NOTE_SIZE, CAPTION_SIZE = 6.5, 6.5


def tile_rows_figure(rows: Sequence[TileRow], caption: str) -> Figure:
    """The rows one below the other, 7 inches wide, above the ``caption``."""
    columns = max(len(each.tiles) for each in rows)
    drawn = [
        _Row(row, columns, colour) for row, colour in zip(rows, row_colours(rows), strict=True)
    ]
    below = wrap(caption, WIDTH - 2 * MARGIN, CAPTION_SIZE)
    height = sum(row.height + ROW_GAP for row in drawn)
    canvas = Canvas(WIDTH, MARGIN + height + len(below) * line_height(CAPTION_SIZE) + SPACE)
    top = MARGIN
    for row in drawn:
        row.draw(canvas, top)
        top += row.height + ROW_GAP
    canvas.lines(WIDTH / 2, top, below, CAPTION_SIZE, INK_QUIET)
    return canvas.figure


class _Row:
    """A row measured: every text is wrapped to the width that it has."""

    def __init__(self, row: TileRow, columns: int, colour: str) -> None:
        self._row, self._colour = row, colour
        self._pitch = (WIDTH - 2 * MARGIN + GAP) / columns
        self._side = min(MAX_SIDE, self._pitch - GAP)
        self._width = self._pitch - GAP / 2  # of texts
        names = [tile.name for tile in row.tiles]
        self._name_size = fitting_size(names, self._width, NAME_SIZE, bold=True)
        self._titles = [wrap(tile.title, self._width, TITLE_SIZE) for tile in row.tiles]
        self._below = [self._texts(tile) for tile in row.tiles]
        self._sentence = wrap(row.sentence, WIDTH - 2 * MARGIN, SENTENCE_SIZE)
        self._head = line_height(HEADING_SIZE) + len(self._sentence) * line_height(SENTENCE_SIZE)
        self._title_height = max(map(len, self._titles)) * line_height(TITLE_SIZE)

    @property
    def height(self) -> float:
        """In inches."""
        texts = max(sum(line_height(size) for _, size, _ in lines) for lines in self._below)
        return self._head + self._title_height + self._side + 3 * SPACE + texts

    def draw(self, canvas: Canvas, top: float) -> None:
        """Draw the row ``top`` inches below the upper edge of ``canvas``."""
        canvas.lines(WIDTH / 2, top, [self._row.title], HEADING_SIZE, self._colour, weight="bold")
        sentence_top = top + line_height(HEADING_SIZE)
        canvas.lines(WIDTH / 2, sentence_top, self._sentence, SENTENCE_SIZE, INK)
        title_top = top + self._head + SPACE
        picture_top = title_top + self._title_height + SPACE
        for index, tile in enumerate(self._row.tiles):
            middle = MARGIN + index * self._pitch + (self._pitch - GAP) / 2
            canvas.lines(middle, title_top, self._titles[index], TITLE_SIZE, INK_QUIET)
            left = middle - self._side / 2
            canvas.picture(left, picture_top, self._side, to_uint8(tile.image))
            line_top = picture_top + self._side + SPACE
            for text, size, weight in self._below[index]:
                canvas.lines(middle, line_top, [text], size, INK, weight=weight)
                line_top += line_height(size)

    def _texts(self, tile: Tile) -> list[tuple[str, float, str]]:
        """The lines below a picture with their size and weight."""
        size = self._name_size
        names = wrap(tile.name, self._width, size, bold=True) if tile.name else []
        lines = [(line, size, "bold") for line in names]
        for note in tile.notes:
            lines += [(line, NOTE_SIZE, "normal") for line in wrap(note, self._width, NOTE_SIZE)]
        return lines
