"""The transfer matrix of several classifiers: plotly on screen, matplotlib for print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from explorer.experiments.sweep.transfer import TransferCell
from explorer.figures.captions import percent
from explorer.figures.charts import apply_chart_style, tick_name
from explorer.figures.palette import ADVERSARIAL, INK
from explorer.figures.print_canvas import wrap
from explorer.figures.print_style import LABEL_SIZE, TICK_SIZE, caption_below
from explorer.figures.series import Series

CELL = 0.85  # inches
NAME_WIDTH, NAME_LINES = 12, 5  # letters a line, lines: four cells are in a row on a phone
_PALE = "#F4ECFB"  # of a rate of 0, and black on it has a contrast of 18 : 1
_DARK_ABOVE = 0.6  # the rate from which text is white


def transfer_chart(cells: Sequence[TransferCell], series: Sequence[Series]) -> go.Figure:
    """A square for each pair: the share of images that fools the column, made on the row."""
    count = len(series)
    titles = [escape(each.title, quote=False) for each in series]
    table = _table(cells, count)
    figure = go.Figure(
        go.Heatmap(
            z=[[cell.rate for cell in row] for row in table],
            x=list(range(count)),
            y=list(range(count)),
            zmin=0,
            zmax=1,
            colorscale=[[0, _PALE], [1, ADVERSARIAL]],
            text=[[_share(cell) for cell in row] for row in table],
            texttemplate="%{text}",
            customdata=[
                [
                    f"from {titles[cell.row]}<br>to {titles[cell.column]}<br>{_interval(cell)}"
                    for cell in row
                ]
                for row in table
            ],
            hovertemplate="%{customdata}<extra></extra>",
            xgap=2,
            ygap=2,
            showscale=False,
        )
    )
    names = [tick_name(each.title, NAME_WIDTH, NAME_LINES) for each in series]
    ticks = {"tickvals": list(range(count)), "ticktext": names, "showgrid": False, "tickangle": 0}
    figure.update_xaxes(title="tested on", side="top", **ticks)
    figure.update_yaxes(title="crafted on", autorange="reversed", **ticks)
    figure.update_layout(height=140 + 84 * count)
    return apply_chart_style(figure)


def transfer_figure(
    cells: Sequence[TransferCell], series: Sequence[Series], caption: str
) -> Figure:
    """The same for print."""
    count = len(series)
    left, top, below = 1.5, 0.75, 0.55
    width, height = left + CELL * count + 0.1, top + CELL * count + below
    figure = Figure(figsize=(width, height), facecolor="white")
    axes = figure.add_axes(
        (left / width, below / height, CELL * count / width, CELL * count / height)
    )
    colours = LinearSegmentedColormap.from_list("transfer", [_PALE, ADVERSARIAL])
    table = _table(cells, count)
    rates = [[float("nan") if cell.rate is None else cell.rate for cell in row] for row in table]
    axes.imshow(rates, cmap=colours, vmin=0, vmax=1)
    for row in table:
        for cell in row:
            colour = "white" if (cell.rate or 0) > _DARK_ABOVE else INK
            lines = f"{_share(cell)}\nn = {cell.n:,}"
            axes.text(
                cell.column, cell.row, lines, ha="center", va="center", size=TICK_SIZE, color=colour
            )
    names = ["\n".join(wrap(each.title, CELL * 0.95, TICK_SIZE)[:3]) for each in series]
    rows = ["\n".join(wrap(each.title, left - 0.35, TICK_SIZE)[:3]) for each in series]
    axes.set_xticks(range(count), names, size=TICK_SIZE, parse_math=False)
    axes.set_yticks(range(count), rows, size=TICK_SIZE, parse_math=False)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("tested on", size=LABEL_SIZE)
    axes.set_ylabel("crafted on", size=LABEL_SIZE)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    caption_below(figure, caption)
    return figure


def _table(cells: Sequence[TransferCell], count: int) -> list[list[TransferCell]]:
    by_place = {(cell.row, cell.column): cell for cell in cells}
    return [[by_place[row, column] for column in range(count)] for row in range(count)]


def _share(cell: TransferCell) -> str:
    return "–" if cell.rate is None else percent(cell.rate)


def _interval(cell: TransferCell) -> str:
    if cell.rate is None:
        return "no image is classified correctly by both"
    return (
        f"{percent(cell.rate)} of {cell.n:,}, 95 % interval {percent(cell.low)} to "
        f"{percent(cell.high)}"
    )
