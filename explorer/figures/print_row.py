"""Pictures side by side for print, each with its title above and the prediction below it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.experiments.one_image.report import Prediction
from explorer.figures.captions import confidence_text
from explorer.figures.palette import INK, INK_QUIET
from explorer.figures.print_canvas import Canvas, fitting_size, line_height, text_width, wrap
from explorer.images.geometry import to_uint8

# Points.
TITLE_SIZE, NAME_SIZE, CONFIDENCE_SIZE, OPERATOR_SIZE = 8.0, 9.5, 8.5, 13.0


@dataclass(frozen=True)
class Column:
    """A picture float32 [3, H, W] with the title above it and the prediction below it."""

    title: str
    image: Tensor
    prediction: Prediction
    colour: str = INK


@dataclass(frozen=True)
class PictureRow:
    """Columns whose pictures are squares of ``side`` inches with these ``left_edges``.

    ``operators`` stand between the first pictures, such as "+ 4/255 ×" and "=".
    """

    columns: tuple[Column, ...]
    left_edges: tuple[float, ...]
    side: float
    operators: tuple[str, ...]

    @property
    def height(self) -> float:
        """In inches, as the class names need."""
        return self._confidence_top + line_height(CONFIDENCE_SIZE)

    @property
    def _confidence_top(self) -> float:
        longest = max(map(len, self._names))
        return self._name_top + longest * line_height(NAME_SIZE)

    @property
    def _name_top(self) -> float:
        return _PICTURE_TOP + self.side + 0.07

    @property
    def _names(self) -> list[list[str]]:
        size = self._name_size
        return [wrap(column.prediction.name, self.side, size, bold=True) for column in self.columns]

    @property
    def _name_size(self) -> float:
        names = (column.prediction.name for column in self.columns)
        return fitting_size(names, self.side, NAME_SIZE, bold=True)

    def draw(self, canvas: Canvas, top: float) -> None:
        """Draw the row on ``canvas``, ``top`` inches below its upper edge."""
        name_size = self._name_size
        for column, left, name in zip(self.columns, self.left_edges, self._names, strict=True):
            middle = left + self.side / 2
            canvas.lines(middle, top + 0.03, [column.title], TITLE_SIZE, INK_QUIET)
            canvas.picture(left, top + _PICTURE_TOP, self.side, to_uint8(column.image))
            name_top = top + self._name_top
            canvas.lines(middle, name_top, name, name_size, column.colour, weight="bold")
            confidence = f"{confidence_text(column.prediction.confidence)} confidence"
            below_name = name_top + len(name) * line_height(NAME_SIZE)
            canvas.lines(middle, below_name, [confidence], CONFIDENCE_SIZE, INK)
        for index, operator in enumerate(self.operators):
            start, end = self.left_edges[index] + self.side, self.left_edges[index + 1]
            # Smaller where the text is long: its width grows in proportion to its size.
            available = end - start - 0.08
            width = text_width(operator, OPERATOR_SIZE)
            size = min(OPERATOR_SIZE, OPERATOR_SIZE * available / width)
            y = top + _PICTURE_TOP + self.side / 2
            canvas.text((start + end) / 2, y, operator, size, INK, vertical="center_baseline")


_PICTURE_TOP = line_height(TITLE_SIZE) + 0.07  # below the title
