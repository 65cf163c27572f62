"""What matplotlib's charts for print share."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from explorer.figures.palette import INK, INK_QUIET
from explorer.figures.print_canvas import POINTS, line_height, wrap

LABEL_SIZE, TICK_SIZE, CAPTION_SIZE = 8.0, 7.0, 6.5  # points
_MARGIN = 0.08  # inches


def quiet_axes(axes: Axes, x_title: str, y_title: str) -> None:
    """Titles, small ticks and thin lines, without the upper and the right border."""
    axes.set_xlabel(x_title, fontsize=LABEL_SIZE, color=INK)
    axes.set_ylabel(y_title, fontsize=LABEL_SIZE, color=INK)
    axes.tick_params(labelsize=TICK_SIZE, width=0.5, color=INK_QUIET)
    axes.grid(linewidth=0.3, color=INK_QUIET, alpha=0.35)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set(linewidth=0.5, color=INK_QUIET, visible=side in ("left", "bottom"))


def caption_below(figure: Figure, caption: str) -> None:
    """``caption`` at the lower edge, on as many lines as it needs."""
    width, height = figure.get_size_inches()
    lines = wrap(caption, float(width) - 2 * _MARGIN, CAPTION_SIZE)
    for index, line in enumerate(reversed(lines)):
        bottom = 0.05 + index * line_height(CAPTION_SIZE) + 0.25 * CAPTION_SIZE / POINTS
        artist = figure.text(
            0.5, bottom / float(height), line, size=CAPTION_SIZE, color=INK_QUIET, ha="center"
        )
        artist.set_parse_math(False)
