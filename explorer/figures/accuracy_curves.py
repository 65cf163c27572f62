"""Accuracy and mean confidence against ε: plotly on screen, matplotlib for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import plotly.graph_objects as go
from matplotlib.figure import Figure

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.experiments.sweep.accuracy_sweep import SweepRow
from explorer.figures.captions import confidence_text, percent
from explorer.figures.charts import apply_chart_style, percent_ticks
from explorer.figures.print_style import caption_below, quiet_axes
from explorer.figures.series import MARKERS, Series, styles, translucent
from explorer.figures.set_captions import axis_title, axis_value

Curves = Mapping[str, Sequence[SweepRow]]  # by the name of a series
ACCURACY, CONFIDENCE = "accuracy", "mean confidence in the label"
_TICKS = [0, 0.25, 0.5, 0.75, 1]


def accuracy_chart(curves: Curves, series: Sequence[Series], norm: str) -> go.Figure:
    """Each classifier's accuracy with its 95 % interval, and its mean confidence as a dotted line.

    Series without rows are left out.
    """
    figure = go.Figure()
    for each, style in zip(series, styles(series), strict=True):
        if not (rows := curves.get(each.name)):
            continue
        x = [axis_value(row.epsilon, norm) for row in rows]
        common = {"legendgroup": each.name}
        figure.add_scatter(
            x=x + x[::-1],
            y=[row.high for row in rows] + [row.low for row in reversed(rows)],
            fill="toself",
            fillcolor=translucent(style.colour, 0.18),
            line={"width": 0},
            mode="lines",
            hoverinfo="skip",
            showlegend=False,
            **common,
        )
        figure.add_scatter(
            x=x,
            y=[row.accuracy for row in rows],
            name=f"{escape(each.title, quote=False)}: accuracy",
            mode="lines+markers",
            line={"color": style.colour, "width": 2},
            marker={"symbol": style.symbol, "size": 7},
            customdata=[_hover(row, norm) for row in rows],
            hovertemplate="%{customdata}<extra></extra>",
            **common,
        )
        figure.add_scatter(
            x=x,
            y=[row.confidence for row in rows],
            name=f"{escape(each.title, quote=False)}: {CONFIDENCE}",
            mode="lines",
            line={"color": style.colour, "width": 1.5, "dash": "dot"},
            customdata=[
                f"ε = {format_epsilon(row.epsilon, norm)}: {CONFIDENCE} "
                f"{confidence_text(row.confidence)}"
                for row in rows
            ],
            hovertemplate="%{customdata}<extra></extra>",
            **common,
        )
    figure.update_xaxes(title=axis_title(norm), rangemode="tozero")
    figure.update_yaxes(range=[-0.03, 1.03], **percent_ticks(*_TICKS))
    figure.update_layout(height=460)
    return apply_chart_style(figure)


def accuracy_figure(curves: Curves, series: Sequence[Series], norm: str, caption: str) -> Figure:
    """The same for print, 5 inches wide."""
    figure = Figure(figsize=(5.0, 3.3), facecolor="white")
    axes = figure.add_axes((0.1, 0.22, 0.87, 0.62))
    for each, style in zip(series, styles(series), strict=True):
        rows = curves[each.name]
        x = [axis_value(row.epsilon, norm) for row in rows]
        axes.fill_between(
            x,
            [row.low for row in rows],
            [row.high for row in rows],
            color=style.colour,
            alpha=0.18,
            linewidth=0,
        )
        axes.plot(
            x,
            [row.accuracy for row in rows],
            color=style.colour,
            linewidth=1.2,
            marker=MARKERS[style.symbol],
            markersize=3,
            label=f"{each.title}: {ACCURACY}",
        )
        axes.plot(
            x,
            [row.confidence for row in rows],
            color=style.colour,
            linewidth=1.0,
            linestyle=":",
            label=f"{each.title}: {CONFIDENCE}",
        )
    axes.set_ylim(-0.03, 1.03)
    axes.set_xlim(left=0)
    axes.set_yticks(*percent_ticks(*_TICKS).values())
    quiet_axes(axes, axis_title(norm), "")
    legend = figure.legend(loc="upper center", ncols=2, fontsize=6, frameon=False, handlelength=2.2)
    for text in legend.get_texts():
        text.set_parse_math(False)
    caption_below(figure, caption)
    return figure


def _hover(row: SweepRow, norm: str) -> str:
    return (
        f"ε = {format_epsilon(row.epsilon, norm)}: accuracy {percent(row.accuracy)}<br>"
        f"95 % interval {percent(row.low)} to {percent(row.high)}, n = {row.n:,}"
    )
