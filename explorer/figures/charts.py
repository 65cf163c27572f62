"""Charts for the screen, drawn with plotly: transparent, with the page's own text colours, so that both themes suit."""

from __future__ import annotations

import textwrap
from html import escape

import plotly.graph_objects as go

from explorer.experiments.one_image.report import AttackReport
from explorer.figures import palette
from explorer.figures.captions import percent

NAME_WIDTH, NAME_LINES = 20, 2  # characters a line, lines; hover texts have the whole name


def top_k_bars(report: AttackReport, k: int = 5) -> go.Figure:
    """Each class's probability for the original and for the adversarial image, side by side.

    Shown are the label, the target and both predictions, always, and the next most probable classes up to ``k``; the
    most probable for the adversarial image stands on top.
    """
    before, after = report.before.probabilities, report.after.probabilities
    classes = _shown_classes(report, k)
    figure = go.Figure()
    # Positions are numbers, not names: ImageNet has two classes called "crane".
    for name, values, colour in (
        ("original", before, palette.ORIGINAL),
        ("adversarial", after, palette.ADVERSARIAL),
    ):
        probabilities = [float(values[index]) for index in classes]
        figure.add_bar(
            y=list(range(len(classes))),
            x=probabilities,
            orientation="h",
            name=name,
            marker_color=colour,
            text=[percent(p) for p in probabilities],
            textposition="outside",
            cliponaxis=False,
            customdata=[escape(report.names[index]) for index in classes],
            hovertemplate="%{customdata}<br>%{text} for the " + name + " image<extra></extra>",
        )
    figure.update_xaxes(
        title="probability of the class", range=[0, 1.14], tickvals=[0, 0.5, 1], tickformat=".0%"
    )
    figure.update_yaxes(
        tickvals=list(range(len(classes))),
        ticktext=[_tick(report, index) for index in classes],
        autorange="reversed",
        showgrid=False,
        ticks="outside",
        ticklen=6,
        tickcolor=palette.CLEAR,
    )
    figure.update_layout(
        barmode="group", bargap=0.28, bargroupgap=0.06, height=110 + 56 * len(classes)
    )
    return dress(figure)


def _shown_classes(report: AttackReport, k: int) -> list[int]:
    before, after = report.before.probabilities, report.after.probabilities
    needed = {report.label, report.before.index, report.after.index}
    if report.target is not None:
        needed.add(report.target)
    for index in before.maximum(after).argsort(descending=True).tolist():
        if len(needed) >= k:
            break
        needed.add(index)
    return sorted(needed, key=lambda index: (-float(after[index]), -float(before[index]), index))


def _tick(report: AttackReport, index: int) -> str:
    roles = [
        word for word, of in (("label", report.label), ("target", report.target)) if index == of
    ]
    return "<br>".join([_short(report.names[index]), *(f"<i>{role}</i>" for role in roles)])


def _short(name: str) -> str:
    """A name in at most two lines, as text in plotly's markup."""
    lines = textwrap.wrap(name, NAME_WIDTH) or [""]
    if len(lines) > NAME_LINES:
        lines = [
            *lines[: NAME_LINES - 1],
            f"{lines[NAME_LINES - 1][: NAME_WIDTH - 2].rstrip(' ,')} …",
        ]
    return "<br>".join(map(escape, lines))


def dress(figure: go.Figure) -> go.Figure:
    """What every chart has: no paper of its own, quiet grid lines, no zoom, the legend above."""
    figure.update_xaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, automargin=True)
    figure.update_yaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, automargin=True)
    figure.update_layout(
        paper_bgcolor=palette.CLEAR,
        plot_bgcolor=palette.CLEAR,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "bgcolor": palette.CLEAR,
        },
    )
    return figure
