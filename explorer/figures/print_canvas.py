"""A matplotlib figure on which pictures and measured text are placed in inches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path
from numpy.typing import NDArray

from explorer.figures.palette import INK_QUIET

PIXELATED_BELOW = 128  # pixels; smaller images are shown as squares, not smoothed
LINE_SPACING, ASCENT = 1.25, 0.93  # times the size of the text
POINTS = 72  # in an inch
SMALLEST_TYPE = 0.75  # of the size that names usually have: 7 of 9.5 points


class Canvas:
    """A figure whose positions and lengths are inches from its top left corner; text in points."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width, height), facecolor="white")

    def picture(self, left: float, top: float, side: float, pixels: NDArray[np.uint8]) -> None:
        """Show uint8 [H, W, 3] undistorted in a square."""
        bottom = self.height - top - side
        box = (left / self.width, bottom / self.height, side / self.width, side / self.height)
        axes = self.figure.add_axes(box, xticks=[], yticks=[])
        smoothing = "nearest" if max(pixels.shape[:2]) < PIXELATED_BELOW else "auto"
        axes.imshow(pixels, interpolation=smoothing)
        for spine in axes.spines.values():
            spine.set(linewidth=0.4, color=INK_QUIET)

    def rule(self, left: float, right: float, y: float) -> None:
        """A thin horizontal line from ``left`` to ``right``."""
        ends, height = (left / self.width, right / self.width), 1 - y / self.height
        line = Line2D(ends, (height, height), linewidth=0.4, color=INK_QUIET)
        line.set_transform(self.figure.transFigure)
        self.figure.add_artist(line)

    def box(
        self, left: float, top: float, width: float, height: float, colour: str, hatch: str = ""
    ) -> None:
        """A rectangle filled with ``colour``, with white lines in it if there is a ``hatch``."""
        corner = (left / self.width, 1 - (top + height) / self.height)
        box = Rectangle(
            corner,
            width / self.width,
            height / self.height,
            facecolor=colour,
            edgecolor="white",
            linewidth=0.0,
            hatch=hatch,
            transform=self.figure.transFigure,
        )
        self.figure.add_artist(box)

    def lines(
        self,
        x: float,
        top: float,
        lines: list[str],
        size: float,
        colour: str,
        weight: str = "normal",
    ) -> None:
        """Lines below ``top``, each centred at ``x``.

        Texts of one size that start at the same ``top`` have the same baseline.
        """
        for index, line in enumerate(lines):
            baseline = top + index * line_height(size) + ASCENT * size / POINTS
            self.text(x, baseline, line, size, colour, weight=weight, vertical="baseline")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: str,
        *,
        vertical: str,
        weight: str = "normal",
        horizontal: str = "center",
    ) -> None:
        """Text centred at ``x``, or with its "left" or "right" end there.

        A ``$`` in it, as in a class name, does not start a formula.
        """
        artist = self.figure.text(
            x / self.width, 1 - y / self.height, text, size=size, color=colour, weight=weight
        )
        artist.set(ha=horizontal, va=vertical, parse_math=False)


def wrap(text: str, width: float, size: float, bold: bool = False) -> list[str]:
    """Lines no wider than ``width`` inches, broken between words, and inside a word too wide."""
    lines: list[str] = []
    for word in text.split() or [""]:
        joined = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(joined, size, bold) <= width:
            lines[-1] = joined
            continue
        while text_width(word, size, bold) > width:
            ends = range(1, len(word) + 1)
            first_too_wide = next(n for n in ends if text_width(word[:n], size, bold) > width)
            cut = max(1, first_too_wide - 1)
            lines.append(word[:cut])
            word = word[cut:]
        lines.append(word)
    return lines


def fitting_size(texts: Iterable[str], width: float, size: float, bold: bool = False) -> float:
    """``size`` in points or, so that no word of ``texts`` is broken, a smaller one, down to 75 %.

    ``width`` is in inches. All names of a row have one size, so that none looks less important.
    """
    words = (word for text in texts for word in text.split())
    widest = max((text_width(word, size, bold) for word in words), default=0.0)
    # Hinting makes small type a little wider than in proportion.
    return size if widest <= width else size * max(SMALLEST_TYPE, 0.98 * width / widest)


def line_height(size: float) -> float:
    """The height in inches of one line of text of ``size`` points."""
    return size * LINE_SPACING / POINTS


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width in inches of text of ``size`` points, from the metrics of matplotlib's font."""
    font = FontProperties(size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / POINTS
