"""The claim of Ilyas et al. 2019 as a figure: how accurate each way of training came out, beside the paper's figures."""

from __future__ import annotations

import plotly.graph_objects as go

from explorer.experiments.ilyas2019.paper_comparison import EPSILONS, ComparisonRow
from explorer.figures import palette
from explorer.figures.captions import percent
from explorer.figures.charts import dress

NAMES = {0.0: "clean", 0.25: "L2 ε = 0.25", 0.5: "L2 ε = 0.5"}
COLOURS = {0.0: palette.ORIGINAL, 0.25: palette.PREDICTED, 0.5: palette.ADVERSARIAL}
_LANE = {0.0: -0.24, 0.25: 0.0, 0.5: 0.24}  # where in a row's height each ε stands
ROW_HEIGHT = 76


def paper_comparison_chart(rows: tuple[ComparisonRow, ...]) -> go.Figure:
    """A row for each way of training: ours as dots with 95 % intervals, the paper's as hollow diamonds, a colour for each ε."""
    figure = go.Figure()
    for column, epsilon in enumerate(EPSILONS):
        lanes = [index + _LANE[epsilon] for index in range(len(rows))]
        measured = [
            (lane, row.title, found)
            for lane, row in zip(lanes, rows, strict=True)
            if (found := row.ours(epsilon))
        ]
        figure.add_scatter(
            x=[found.accuracy for _, _, found in measured],
            y=[lane for lane, _, _ in measured],
            error_x={
                "array": [found.high - found.accuracy for _, _, found in measured],
                "arrayminus": [found.accuracy - found.low for _, _, found in measured],
                "thickness": 1.5,
                "width": 4,
            },
            mode="markers",
            marker={"color": COLOURS[epsilon], "size": 11},
            name=f"{NAMES[epsilon]}, measured here",
            customdata=[[title, percent(found.accuracy), found.n] for _, title, found in measured],
            hovertemplate="trained on %{customdata[0]}: %{customdata[1]} of %{customdata[2]} images<extra>measured here</extra>",
        )
        printed = [
            (lane, row, value)
            for lane, row in zip(lanes, rows, strict=True)
            if (value := row.published.values[column]) is not None
        ]
        figure.add_scatter(
            x=[value for _, _, value in printed],
            y=[lane for lane, _, _ in printed],
            mode="markers",
            marker={
                "color": COLOURS[epsilon],
                "size": 12,
                "symbol": "diamond-open",
                "line": {"width": 2},
            },
            name=f"{NAMES[epsilon]}, the paper's",
            customdata=[
                [row.title, percent(value), row.published.table] for _, row, value in printed
            ],
            hovertemplate="trained on %{customdata[0]}: %{customdata[1]}<extra>the paper, %{customdata[2]}</extra>",
        )
    figure.update_xaxes(
        title="accuracy", range=[-0.02, 1.02], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1]
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[row.title.replace(" (", "<br>(") for row in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_layout(height=120 + ROW_HEIGHT * len(rows))
    return dress(figure)
