"""Plotly charts for the pages, transparent and in the page's text colours, to suit both themes."""

from __future__ import annotations

import textwrap
from html import escape
from typing import Any

import plotly.graph_objects as go

from explorer.experiments.one_image.report import AttackReport
from explorer.figures import palette
from explorer.figures.captions import confidence_text

NAME_WIDTH, NAME_LINES = 20, 2  # characters a line, lines; hover texts have the whole name
LABEL_WIDTH = 56  # pixels for "100.0 %" beside the longest bar, however narrow the chart is
EDGE = 24  # pixels for half of the last tick's label, which plotly hides if it passes the edge
BAR_NAME_WIDTH, BAR_NAME_LINES = 12, 3  # of the bars, which have half the page to themselves
ROW_HEIGHT, LINE_HEIGHT = 56, 17  # pixels of a class, of a line of its name


def top_k_bars(report: AttackReport, k: int = 5) -> go.Figure:
    """Each class's probability for the original and for the adversarial image, side by side.

    The classes are the label, the target and both predictions, however many these are, and the
    next most probable ones up to ``k``. The most probable class of the adversarial image is on top.
    """
    classes = _top_classes(report, k)
    positions = list(range(len(classes)))  # not names: ImageNet has two classes called "crane"
    figure = go.Figure()
    for name, prediction, colour in (
        ("original", report.before, palette.ORIGINAL),
        ("adversarial", report.after, palette.ADVERSARIAL),
    ):
        probabilities = [float(prediction.probabilities[index]) for index in classes]
        figure.add_bar(
            y=positions,
            x=probabilities,
            orientation="h",
            name=name,
            marker_color=colour,
            text=[confidence_text(p) for p in probabilities],
            textposition="outside",
            cliponaxis=False,
            customdata=[_markup(report.names[index]) for index in classes],
            hovertemplate="%{customdata}<br>%{text} for the " + name + " image<extra></extra>",
        )
    figure.update_xaxes(
        title="probability of the class",
        range=[0, 1],
        tickangle=0,
        minor={"tickvals": [0.5], "showgrid": True, "gridcolor": palette.GRID},
        **percent_ticks(0, 1),  # a third label has no room on a small projector
    )
    ticks = [_tick(report, index) for index in classes]
    figure.update_yaxes(
        tickvals=positions,
        ticktext=ticks,
        autorange="reversed",
        showgrid=False,
        ticks="outside",
        ticklen=6,
        tickcolor=palette.CLEAR,
    )
    lines = max(tick.count("<br>") + 1 for tick in ticks)
    height = 110 + max(ROW_HEIGHT, LINE_HEIGHT * lines) * len(classes)
    figure.update_layout(barmode="group", bargap=0.28, bargroupgap=0.06, height=height)
    return apply_chart_style(figure).update_layout(margin_r=LABEL_WIDTH)


def apply_chart_style(figure: go.Figure) -> go.Figure:
    """The figure with a clear background, quiet grid lines, no zoom, and the legend above."""
    figure.update_xaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, automargin=True)
    figure.update_yaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, automargin=True)
    legend = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": palette.CLEAR}
    figure.update_layout(
        paper_bgcolor=palette.CLEAR,
        plot_bgcolor=palette.CLEAR,
        margin={"l": 8, "r": EDGE, "t": 8, "b": 8},
        legend=legend,
    )
    return figure


def percent_ticks(*values: float) -> dict[str, list[Any]]:
    """Settings of an axis for shares, with ticks at these ``values``: ``50 %``."""
    return {"tickvals": [*values], "ticktext": [f"{100 * value:g} %" for value in values]}


def _top_classes(report: AttackReport, k: int) -> list[int]:
    before, after = report.before.probabilities, report.after.probabilities
    classes = {report.label, report.before.index, report.after.index}
    if report.target is not None:
        classes.add(report.target)
    for index in before.maximum(after).argsort(descending=True).tolist():
        if len(classes) >= k:
            break
        classes.add(index)
    return sorted(classes, key=lambda index: (-float(after[index]), -float(before[index]), index))


def _tick(report: AttackReport, index: int) -> str:
    classes = {"label": report.label, "target": report.target}
    roles = [f"<i>{role}</i>" for role, of_role in classes.items() if of_role == index]
    name = report.names[index]
    longest = max(map(len, name.split()), default=0)  # a word in one line, if it is not too long
    width = min(max(BAR_NAME_WIDTH, longest), NAME_WIDTH)
    return "<br>".join([tick_name(name, width, BAR_NAME_LINES), *roles])


def tick_name(name: str, width: int = NAME_WIDTH, most: int = NAME_LINES) -> str:
    """A name beside an axis, in at most ``most`` lines of ``width`` letters, in plotly's markup.

    A long name in one line would leave no room for the chart itself on a phone.
    """
    lines = textwrap.wrap(name, width) or [""]
    if len(lines) > most:
        last = lines[most - 1][: width - 2].rstrip(" ,")
        lines = [*lines[: most - 1], f"{last} …"]
    return "<br>".join(map(_markup, lines))


def _markup(text: str) -> str:
    """``text`` in plotly's markup, which has no entity for a quotation mark."""
    return escape(text, quote=False)
