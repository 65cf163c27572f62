"""The smallest ε of many images as a histogram: plotly on screen, matplotlib for print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from explorer.experiments.sweep.smallest_epsilon import SmallestEpsilons
from explorer.figures.captions import count_of
from explorer.figures.charts import apply_chart_style
from explorer.figures.print_style import caption_below, quiet_axes
from explorer.figures.series import Series, styles, translucent
from explorer.figures.set_captions import axis_title, axis_value, short_epsilon

Results = Mapping[str, SmallestEpsilons]  # by the name of a series
BINS = 20


@dataclass(frozen=True)
class Bins:
    """The ``width`` of each of :data:`BINS` bins from 0 on, in the axis' unit, and their counts."""

    width: float
    counts: dict[str, list[int]]

    @property
    def middles(self) -> list[float]:
        """The middle of each bin."""
        return [(index + 0.5) * self.width for index in range(BINS)]


def bins_of(results: Results, norm: str) -> Bins:
    """The same bins for all classifiers, up to the largest of their smallest ε."""
    values = {
        name: [axis_value(epsilon, norm) for epsilon in result.values if epsilon is not None]
        for name, result in results.items()
    }
    largest = max((value for each in values.values() for value in each), default=0.0)
    width = (largest or 1.0) / BINS
    counts = {name: [0] * BINS for name in values}
    for name, each in values.items():
        for value in each:
            counts[name][min(int(value / width), BINS - 1)] += 1
    return Bins(width, counts)


def smallest_chart(results: Results, series: Sequence[Series], norm: str) -> go.Figure:
    """How many images have their smallest ε in each bin; a line marks each median."""
    bins = bins_of(results, norm)
    figure = go.Figure()
    for each, style in zip(series, styles(series), strict=True):
        if each.name not in results:
            continue
        figure.add_bar(
            x=bins.middles,
            y=bins.counts[each.name],
            width=bins.width,
            name=escape(_title(each, results[each.name], norm), quote=False),
            marker={
                "color": translucent(style.colour, 0.45),
                "line": {"color": style.colour, "width": 1},
            },
            customdata=[_range(index, bins.width, norm) for index in range(BINS)],
            hovertemplate="%{y} with ε from %{customdata}<extra></extra>",
        )
        median = results[each.name].median
        if median is not None:
            figure.add_vline(
                x=axis_value(median, norm), line={"color": style.colour, "width": 2, "dash": "dash"}
            )
    figure.update_xaxes(title=f"smallest {axis_title(norm)}", rangemode="tozero")
    figure.update_yaxes(title="images", rangemode="tozero", tickformat="d")
    figure.update_layout(barmode="overlay", height=380)
    return apply_chart_style(figure)


def smallest_figure(results: Results, series: Sequence[Series], norm: str, caption: str) -> Figure:
    """The same for print, 5 inches wide."""
    bins = bins_of(results, norm)
    figure = Figure(figsize=(5.0, 3.2), facecolor="white")
    axes = figure.add_axes((0.1, 0.25, 0.87, 0.6))
    for each, style in zip(series, styles(series), strict=True):
        axes.bar(
            bins.middles,
            bins.counts[each.name],
            width=bins.width,
            color=style.colour,
            alpha=0.45,
            edgecolor=style.colour,
            linewidth=0.6,
            label=_title(each, results[each.name], norm),
        )
        median = results[each.name].median
        if median is not None:
            axes.axvline(axis_value(median, norm), color=style.colour, linewidth=1, linestyle="--")
    axes.set_xlim(left=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    quiet_axes(axes, f"smallest {axis_title(norm)}", "images")
    legend = figure.legend(loc="upper center", ncols=1, fontsize=6, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    caption_below(figure, caption)
    return figure


def _title(series: Series, result: SmallestEpsilons, norm: str) -> str:
    median, failures = result.median, sum(value is None for value in result.values)
    middle = "no median" if median is None else f"median {short_epsilon(median, norm)}"
    rest = f", {count_of(failures, 'image')} that no attack fooled" if failures else ""
    return f"{series.title}: {middle}{rest}"


def _range(index: int, width: float, norm: str) -> str:
    unit = "/255" if norm == "linf" else ""
    return f"{index * width:.3g}{unit} to {(index + 1) * width:.3g}{unit}"
