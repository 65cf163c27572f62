"""Charts for the screen, drawn with plotly: transparent, with the page's own text colours, so that both themes suit."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape

import plotly.graph_objects as go
from plotly.subplots import make_subplots
from torch import Tensor

from explorer.experiments.report import AttackReport
from explorer.figures import palette
from explorer.figures.words import percent

NAME_WIDTH, LEGEND_WIDTH, NAME_LINES = 20, 32, 2  # characters a line, lines; hover texts have the whole name
_LOSS_TITLES = {"ce": "cross-entropy", "cw": "margin", "dlr": "DLR loss"}


def top_k_bars(report: AttackReport, k: int = 5) -> go.Figure:
    """Each class's probability for the original and for the adversarial image, side by side.

    Shown are the label, the target and both predictions, always, and the next most probable classes up to ``k``; the
    most probable for the adversarial image stands on top.
    """
    before, after = report.before.probabilities, report.after.probabilities
    classes = _shown_classes(report, k)
    figure = go.Figure()
    # Positions are numbers, not names: ImageNet has two classes called "crane".
    for name, values, colour in (("original", before, palette.ORIGINAL), ("adversarial", after, palette.ADVERSARIAL)):
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
    figure.update_xaxes(title="probability of the class", range=[0, 1.14], tickvals=[0, 0.5, 1], tickformat=".0%")
    figure.update_yaxes(
        tickvals=list(range(len(classes))),
        ticktext=[_tick(report, index) for index in classes],
        autorange="reversed",
        showgrid=False,
        ticks="outside",
        ticklen=6,
        tickcolor=palette.CLEAR,
    )
    figure.update_layout(barmode="group", bargap=0.28, bargroupgap=0.06, height=110 + 56 * len(classes))
    return _dress(figure)


def trace_chart(report: AttackReport, at: int | None) -> go.Figure:
    """Probabilities (above) and the attack's loss (below) against the step; the point that was kept is marked.

    ``at`` is the step being looked at: a line and a marker on each curve. Raises ``ValueError`` when there is no such
    step.
    """
    trace = report.trace
    if at is not None and not 0 <= at <= trace.steps:
        raise ValueError(f"the trace has the steps 0 to {trace.steps}; there is no step {at}")
    probabilities = trace.logits[:, 0].softmax(dim=1)
    predicted, losses = probabilities.amax(dim=1), trace.loss[:, 0]
    names = [escape(report.names[index]) for index in probabilities.argmax(dim=1).tolist()]
    curves = [
        _Curve(1, f"label: {report.names[report.label]}", probabilities[:, report.label], palette.LABEL, "%{y:.1%}"),
        _Curve(2, "loss", losses, palette.LOSS, "%{y:.4g}"),
    ]
    if report.target is not None:
        title = f"target: {report.names[report.target]}"
        curves.append(_Curve(1, title, probabilities[:, report.target], palette.TARGET, "%{y:.1%}"))
    # Last, so that its dots lie on the curve of the class it follows.
    curves.append(_Curve(1, "predicted class", predicted, palette.PREDICTED, "%{y:.1%} %{customdata}", "dot", names))
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08, row_heights=[0.62, 0.38])
    for curve in curves:
        _add_curve(figure, curve, at)
    _mark_kept(figure, int(trace.kept[0]), predicted, losses)
    if at is not None:
        figure.add_vline(x=at, line_color=palette.RULE, line_width=1, line_dash="dash")
    figure.update_xaxes(range=[-0.02 * max(trace.steps, 1), 1.02 * max(trace.steps, 1)])
    figure.update_xaxes(tickformat="d", dtick=1 if trace.steps <= 10 else None)
    figure.update_xaxes(title=f"step of the attack (0: the start, {trace.steps}: the last)", row=2, col=1)
    figure.update_yaxes(title="probability", range=[-0.04, 1.06], tickvals=[0, 0.5, 1], tickformat=".0%", row=1, col=1)
    figure.update_yaxes(title=_loss_title(report), nticks=4, row=2, col=1)
    figure.update_layout(height=400, hovermode="x unified")
    return _dress(figure)


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
    roles = [word for word, of in (("label", report.label), ("target", report.target)) if index == of]
    return "<br>".join([_short(report.names[index], NAME_WIDTH), *(f"<i>{role}</i>" for role in roles)])


def _short(name: str, width: int) -> str:
    """A name in at most two lines, as text in plotly's markup."""
    lines = textwrap.wrap(name, width) or [""]
    if len(lines) > NAME_LINES:
        lines = [*lines[: NAME_LINES - 1], f"{lines[NAME_LINES - 1][: width - 2].rstrip(' ,')} …"]
    return "<br>".join(map(escape, lines))


def _loss_title(report: AttackReport) -> str:
    """The objective, which the attack raises; the cross-entropy of a target is to fall, so that its negative rises."""
    name = _LOSS_TITLES.get(report.recipe.loss, report.recipe.loss)
    if report.recipe.loss != "ce":
        return name
    return f"{name}<br>of the label" if report.target is None else f"− {name}<br>of the target"


@dataclass(frozen=True)
class _Curve:
    """One value a step, float32 [T + 1]; ``notes`` are said beside them as ``customdata``."""

    row: int
    title: str
    values: Tensor
    colour: str
    hover: str
    dash: str = "solid"
    notes: list[str] | None = None


def _add_curve(figure: go.Figure, curve: _Curve, at: int | None) -> None:
    points = curve.values.tolist()
    figure.add_scatter(
        x=list(range(len(points))),
        y=points,
        name=_short(curve.title, LEGEND_WIDTH),
        mode="lines",
        line={"color": curve.colour, "width": 2, "dash": curve.dash},
        customdata=curve.notes,
        hovertemplate=curve.hover,
        showlegend=curve.row == 1,
        row=curve.row,
        col=1,
    )
    if at is not None:
        _add_marker(figure, curve.row, at, points[at], {"color": curve.colour, "size": 9})


def _mark_kept(figure: go.Figure, kept: int, predicted: Tensor, losses: Tensor) -> None:
    for row, values in ((1, predicted), (2, losses)):
        ring = {"symbol": "circle-open", "size": 15, "color": palette.RULE, "line": {"width": 2}}
        _add_marker(figure, row, kept, float(values[kept]), ring, f"the point kept: step {kept}" if row == 1 else None)


def _add_marker(
    figure: go.Figure, row: int, step: int, value: float, marker: dict[str, object], name: str | None = None
) -> None:
    figure.add_scatter(
        x=[step],
        y=[value],
        name=name,
        mode="markers",
        marker=marker,
        hoverinfo="skip",
        showlegend=name is not None,
        row=row,
        col=1,
    )


def _dress(figure: go.Figure) -> go.Figure:
    figure.update_xaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, automargin=True)
    figure.update_yaxes(gridcolor=palette.GRID, zeroline=False, fixedrange=True, automargin=True)
    figure.update_layout(
        paper_bgcolor=palette.CLEAR,
        plot_bgcolor=palette.CLEAR,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": palette.CLEAR},
    )
    return figure
