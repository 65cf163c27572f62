"""The accuracy after each way of training, measured here and in the paper (Ilyas et al. 2019)."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.experiments.ilyas2019.paper_comparison import EPSILONS, ComparisonRow
from explorer.figures import palette
from explorer.figures.captions import percent
from explorer.figures.charts import apply_chart_style, percent_ticks

NAMES = {0.0: "no attack", 0.25: "L2 ε = 0.25", 0.5: "L2 ε = 0.5"}
COLOURS = {0.0: palette.ORIGINAL, 0.25: palette.PREDICTED, 0.5: palette.ADVERSARIAL}
ROW_HEIGHT = 76  # pixels
_OFFSETS = {0.0: -0.24, 0.25: 0.0, 0.5: 0.24}  # of each ε from the middle of a row, in rows


def paper_comparison_chart(rows: tuple[ComparisonRow, ...]) -> go.Figure:
    """A row for each way of training and a colour for each ε.

    Our accuracies are dots with 95 % intervals, the paper's hollow diamonds.
    """
    figure = go.Figure()
    for epsilon in EPSILONS:
        _add_measured(figure, rows, epsilon)
        _add_published(figure, rows, epsilon)
    figure.update_xaxes(
        title="accuracy", range=[-0.02, 1.02], **percent_ticks(0, 0.25, 0.5, 0.75, 1)
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[row.title.replace(" (", "<br>(") for row in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_layout(height=120 + ROW_HEIGHT * len(rows))
    return apply_chart_style(figure)


def _add_measured(figure: go.Figure, rows: tuple[ComparisonRow, ...], epsilon: float) -> None:
    points = [
        (index + _OFFSETS[epsilon], row.title, accuracy)
        for index, row in enumerate(rows)
        if (accuracy := row.accuracy(epsilon))
    ]
    figure.add_scatter(
        x=[accuracy.accuracy for _, _, accuracy in points],
        y=[y for y, _, _ in points],
        error_x={
            "array": [accuracy.high - accuracy.accuracy for _, _, accuracy in points],
            "arrayminus": [accuracy.accuracy - accuracy.low for _, _, accuracy in points],
            "thickness": 1.5,
            "width": 4,
        },
        mode="markers",
        marker={"color": COLOURS[epsilon], "size": 11},
        name=f"{NAMES[epsilon]}, measured here",
        customdata=[
            [title, percent(accuracy.accuracy), accuracy.n] for _, title, accuracy in points
        ],
        hovertemplate="trained on %{customdata[0]}: %{customdata[1]} of %{customdata[2]:,} images"
        "<extra>measured here</extra>",
    )


def _add_published(figure: go.Figure, rows: tuple[ComparisonRow, ...], epsilon: float) -> None:
    column = EPSILONS.index(epsilon)
    points = [
        (index + _OFFSETS[epsilon], row, value)
        for index, row in enumerate(rows)
        if (value := row.published.values[column]) is not None
    ]
    figure.add_scatter(
        x=[value for _, _, value in points],
        y=[y for y, _, _ in points],
        mode="markers",
        marker={
            "color": COLOURS[epsilon],
            "size": 12,
            "symbol": "diamond-open",
            "line": {"width": 2},
        },
        name=f"{NAMES[epsilon]}, the paper's",
        customdata=[[row.title, percent(value), row.published.table] for _, row, value in points],
        hovertemplate="trained on %{customdata[0]}: %{customdata[1]}"
        "<extra>the paper, %{customdata[2]}</extra>",
    )
