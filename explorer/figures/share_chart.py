"""Shares of fooled images as bars with their intervals: plotly on screen, matplotlib for print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
from matplotlib.figure import Figure

from explorer.experiments.fooled_share import FooledShare
from explorer.figures.captions import percent
from explorer.figures.charts import apply_chart_style, percent_ticks, tick_name
from explorer.figures.print_canvas import wrap
from explorer.figures.print_style import TICK_SIZE, caption_below, quiet_axes

WIDTH, ROW, ABOVE, BELOW = 5.5, 0.42, 0.4, 0.95  # inches
NAMES = 1.7  # inches of the classifiers' names
ROW_HEIGHT, LINE_HEIGHT = 44, 17  # pixels of the chart on screen
_SYMBOLS = {"●": "circle", "■": "square", "◆": "diamond"}


@dataclass(frozen=True)
class ShareSeries:
    """The ``shares`` of one change, one for each classifier, in a ``colour`` and with a name."""

    name: str
    colour: str
    shares: tuple[FooledShare, ...]


def share_chart(series: Sequence[ShareSeries], axis: str) -> go.Figure:
    """A point with its 95 % interval for each classifier and change; ``axis`` is its title."""
    figure = go.Figure()
    names = [share.shown_as for share in series[0].shares]
    for index, each in enumerate(series):
        places = [row + _offset(index, len(series)) for row in range(len(names))]
        known = [
            (place, share)
            for place, share in zip(places, each.shares, strict=True)
            if share.rate is not None
        ]
        rates = [share.rate or 0.0 for _, share in known]
        bounds = [share.interval for _, share in known]
        figure.add_scatter(
            x=rates,
            y=[place for place, _ in known],
            mode="markers",
            name=each.name,
            marker={"color": each.colour, "size": 10, "symbol": list(_SYMBOLS.values())[index % 3]},
            error_x={
                "array": [high - rate for rate, (_, high) in zip(rates, bounds, strict=True)],
                "arrayminus": [rate - low for rate, (low, _) in zip(rates, bounds, strict=True)],
                "thickness": 1.5,
            },
            customdata=[
                f"{escape(share.shown_as, quote=False)}<br>{share_sentence(share)}"
                for _, share in known
            ],
            hovertemplate="%{customdata}<extra>" + escape(each.name, quote=False) + "</extra>",
        )
    ticks = [tick_name(name, most=4) for name in names]
    figure.update_xaxes(title=axis, range=[-0.02, 1.02], **percent_ticks(0, 0.25, 0.5, 0.75, 1))
    figure.update_yaxes(
        tickvals=list(range(len(names))),
        ticktext=ticks,
        autorange="reversed",
        showgrid=False,
    )
    lines = max(tick.count("<br>") + 1 for tick in ticks)
    figure.update_layout(height=120 + max(ROW_HEIGHT, LINE_HEIGHT * lines) * len(names))
    return apply_chart_style(figure)


def share_figure(series: Sequence[ShareSeries], axis: str, caption: str) -> Figure:
    """The same for print, with the ``caption`` below."""
    names = [share.shown_as for share in series[0].shares]
    height = ABOVE + ROW * len(names) + BELOW
    figure = Figure(figsize=(WIDTH, height), facecolor="white")
    axes = figure.add_axes(
        (NAMES / WIDTH, BELOW / height, (WIDTH - NAMES - 0.2) / WIDTH, ROW * len(names) / height)
    )
    for index, each in enumerate(series):
        for row, share in enumerate(each.shares):
            if share.rate is None:
                continue
            low, high = share.interval
            axes.errorbar(
                share.rate,
                row + _offset(index, len(series)),
                xerr=[[share.rate - low], [high - share.rate]],
                fmt="osD"[index % 3],
                color=each.colour,
                markersize=4,
                linewidth=1,
                label=each.name if row == 0 else None,
            )
    quiet_axes(axes, axis, "")
    axes.set(xlim=(-0.02, 1.02), ylim=(len(names) - 0.5, -0.5))
    shown = ["\n".join(wrap(name, NAMES - 0.2, TICK_SIZE)[:2]) for name in names]
    axes.set_yticks(range(len(names)), shown, size=TICK_SIZE, parse_math=False)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(series),
        fontsize=TICK_SIZE,
        frameon=False,
    )
    caption_below(figure, caption)
    return figure


def _offset(index: int, count: int) -> float:
    return 0.24 * (index - (count - 1) / 2)


def share_sentence(share: FooledShare, noun: str = "") -> str:
    """``78.9 % of 1,911 (95 % interval 76.2 % to 81.4 %)``, or that there was nothing to count.

    A ``noun`` says what was counted: ``of 1,911 pictures``.
    """
    if share.rate is None:
        return "none of 0, as it got no picture right before"
    low, high = map(percent, share.interval)
    counted = f"{share.n:,} {noun}".rstrip()
    return f"{percent(share.rate)} of {counted} (95 % interval {low} to {high})"
