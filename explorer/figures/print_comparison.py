"""A comparison of classifiers for print: a row of pictures for each, and the table of transfers."""

from __future__ import annotations

from matplotlib.figure import Figure

from explorer.experiments.compare import ComparedClassifier, Comparison
from explorer.figures.captions import attack_caption, measurements_caption
from explorer.figures.comparison_table import Cell, TableRow, comparison_table
from explorer.figures.palette import ADVERSARIAL, INK, INK_QUIET, OUTCOME_MARKS
from explorer.figures.print_canvas import Canvas, line_height, wrap
from explorer.figures.print_row import Column, PictureRow
from explorer.figures.print_triptych import (
    CAPTION_SIZE,
    MARGIN,
    SEPARATOR,
    WIDTH,
    factor_text,
    scale_text,
)
from explorer.figures.series import classifier_colours
from explorer.images.distances import perturbation_image

SIDE = 1.33  # inches of a picture, as are all lengths below
PLUS_GAP, EQUALS_GAP = 0.86, 0.30
LEFT_EDGES = (
    MARGIN,
    MARGIN + SIDE + PLUS_GAP,
    MARGIN + 2 * SIDE + PLUS_GAP + EQUALS_GAP,
    WIDTH - MARGIN - SIDE,
)
ROW_GAP, LINE_GAP, PADDING = 0.16, 0.03, 0.05
TITLE_WIDTH = 1.2  # of the table's first column
HEADING_SIZE, CELL_SIZE, NOTE_SIZE = 9.5, 8.0, 6.5  # points


def comparison_figure(comparison: Comparison) -> Figure:
    """For each classifier the original, the perturbation, the adversarial picture and noise.

    Below is the table of what each says of each picture, and the attack. The figure is 7 inches
    wide and as high as that needs.
    """
    rows = [_picture_row(each) for each in comparison.classifiers]
    captions = [_measurements(each) for each in comparison.classifiers]
    table, caption = _Table(comparison), _caption(comparison)
    heights = [
        _heading_height() + row.height + len(lines) * line_height(CAPTION_SIZE) + ROW_GAP
        for row, lines in zip(rows, captions, strict=True)
    ]
    below = table.height + ROW_GAP + len(caption) * line_height(CAPTION_SIZE) + PADDING
    canvas = Canvas(WIDTH, sum(heights) + below)
    top = 0.0
    for each, colour, row, lines, height in zip(
        comparison.classifiers, _colours(comparison), rows, captions, heights, strict=True
    ):
        heading = [f"{each.title}: {OUTCOME_MARKS[each.report.outcome].word}"]
        canvas.lines(WIDTH / 2, top + LINE_GAP, heading, HEADING_SIZE, colour, weight="bold")
        row.draw(canvas, top + _heading_height())
        measured_top = top + _heading_height() + row.height + LINE_GAP
        canvas.lines(WIDTH / 2, measured_top, lines, CAPTION_SIZE, INK_QUIET)
        top += height
    table.draw(canvas, top)
    canvas.lines(WIDTH / 2, top + table.height + ROW_GAP, caption, CAPTION_SIZE, INK_QUIET)
    return canvas.figure


def _colours(comparison: Comparison) -> list[str]:
    return classifier_colours(each.robust for each in comparison.classifiers)


def _heading_height() -> float:
    return line_height(HEADING_SIZE) + 2 * LINE_GAP


def _picture_row(each: ComparedClassifier) -> PictureRow:
    report, noise = each.report, each.noise
    delta = report.adversarial - report.original
    columns = (
        Column("original", report.original, report.before),
        Column(f"{scale_text(delta)} × δ", perturbation_image(delta), report.noise),
        Column("adversarial", report.adversarial, report.after, _colour(report.outcome)),
        Column("original + noise", noise.image, noise.prediction, _colour(noise.outcome)),
    )
    return PictureRow(columns, LEFT_EDGES, SIDE, (factor_text(report), "="))


def _colour(outcome: str) -> str:
    return ADVERSARIAL if outcome == "fooled" else INK


def _measurements(each: ComparedClassifier) -> list[str]:
    noise = each.noise
    text = (
        f"adversarial: {measurements_caption(each.report)}{SEPARATOR}noise: "
        f"L∞ {255 * noise.linf:.4g}/255, L2 {noise.l2:.3g}"
    )
    return wrap(text, WIDTH - 2 * MARGIN, CAPTION_SIZE)


def _caption(comparison: Comparison) -> list[str]:
    report = comparison.classifiers[0].report
    target = None if report.target is None else report.names[report.target]
    parts = [attack_caption(report.recipe, target), *(note.text for note in comparison.notes)]
    return [line for part in parts for line in wrap(part, WIDTH - 2 * MARGIN, CAPTION_SIZE)]


class _Table:
    """The table of answers: a column for each classifier, lines that wrap to its width."""

    def __init__(self, comparison: Comparison) -> None:
        self._columns = len(comparison.classifiers)
        self._width = (WIDTH - 2 * MARGIN - TITLE_WIDTH) / self._columns
        self._head = [
            (self._wrapped(f"shown to {each.title}", CELL_SIZE, bold=True), colour)
            for each, colour in zip(comparison.classifiers, _colours(comparison), strict=True)
        ]
        self._rows = comparison_table(comparison)

    @property
    def height(self) -> float:
        """In inches."""
        return self._head_height + sum(map(self._row_height, self._rows))

    @property
    def _head_height(self) -> float:
        return max(len(lines) for lines, _ in self._head) * line_height(CELL_SIZE) + PADDING

    def draw(self, canvas: Canvas, top: float) -> None:
        """Draw the table ``top`` inches below the upper edge of ``canvas``."""
        for column, (lines, colour) in enumerate(self._head):
            canvas.lines(self._middle(column), top, lines, CELL_SIZE, colour, weight="bold")
        top += self._head_height
        for row in self._rows:
            canvas.rule(MARGIN, WIDTH - MARGIN, top)
            title = wrap(row.title, TITLE_WIDTH - PADDING, CELL_SIZE)
            canvas.lines(MARGIN + TITLE_WIDTH / 2, top + PADDING, title, CELL_SIZE, INK)
            for column, cell in enumerate(row.cells):
                self._draw_cell(canvas, self._middle(column), top + PADDING, cell)
            top += self._row_height(row)

    def _draw_cell(self, canvas: Canvas, middle: float, top: float, cell: Cell) -> None:
        for lines, size, colour, weight in self._lines(cell):
            canvas.lines(middle, top, lines, size, colour, weight=weight)
            top += len(lines) * line_height(size)

    def _middle(self, column: int) -> float:
        return MARGIN + TITLE_WIDTH + (column + 0.5) * self._width

    def _row_height(self, row: TableRow) -> float:
        title = len(wrap(row.title, TITLE_WIDTH - PADDING, CELL_SIZE)) * line_height(CELL_SIZE)
        return max(title, *map(self._cell_height, row.cells)) + 2 * PADDING

    def _cell_height(self, cell: Cell) -> float:
        return sum(len(lines) * line_height(size) for lines, size, _, _ in self._lines(cell))

    def _lines(self, cell: Cell) -> list[tuple[list[str], float, str, str]]:
        """The wrapped lines of a cell with their size, colour and weight."""
        lines: list[tuple[list[str], float, str, str]] = []
        if cell.mark is not None:
            mark = self._wrapped(f"{cell.mark.icon} {cell.mark.word}", CELL_SIZE, bold=True)
            lines.append((mark, CELL_SIZE, cell.mark.colour, "bold"))
        if cell.name:
            weight = "bold" if cell.is_own else "normal"
            answer = self._wrapped(f"{cell.name} {cell.confidence}", CELL_SIZE, bold=cell.is_own)
            lines.append((answer, CELL_SIZE, INK, weight))
        if cell.note:
            lines.append((self._wrapped(cell.note, NOTE_SIZE), NOTE_SIZE, INK_QUIET, "normal"))
        return lines

    def _wrapped(self, text: str, size: float, bold: bool = False) -> list[str]:
        return wrap(text, self._width - PADDING, size, bold)
