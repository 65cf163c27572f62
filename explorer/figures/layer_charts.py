"""Distances of activations layer by layer: plotly on screen, matplotlib for print."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from explorer.experiments.features.layers import ClassifierLayers
from explorer.figures import palette
from explorer.figures.charts import apply_chart_style
from explorer.figures.print_style import caption_below, quiet_axes
from explorer.figures.series import classifier_colours, translucent

DISTANCE = "distance relative to the clean activation"
_NAMED = 14  # layers at most whose names fit below a chart on the screen
_ADVERSARIAL, _NOISE, _PARTING = "adversarial picture", "random noise", "the paths part"
# Inches of the printed figure: its width, a panel with the names of its layers and its title, and
# what is below the last one.
_WIDTH, _PANEL, _NAMES, _TITLE, _BELOW = 5.5, 2.6, 1.05, 0.25, 0.3


def top_of(answers: Sequence[ClassifierLayers]) -> float:
    """The end of an axis that shows all distances of all classifiers, for one scale in all."""
    largest = max(max(layer.adversarial, *layer.noise) for each in answers for layer in each.layers)
    return 1.06 * largest


def layers_chart(each: ClassifierLayers, top: float, colour: str) -> go.Figure:
    """One classifier's distances against its layers: the attack, and noise with its range.

    The attack has the ``colour`` of the classifier, and the axis ends at ``top``.
    """
    x = list(range(len(each.layers)))
    names = [escape(layer.name, quote=False) for layer in each.layers]
    low, high = _noise_range(each)
    figure = go.Figure()
    figure.add_scatter(
        x=x + x[::-1],
        y=high + low[::-1],
        fill="toself",
        fillcolor=translucent(palette.ORIGINAL, 0.3),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    lines = (
        (_ADVERSARIAL, [layer.adversarial for layer in each.layers], colour, "solid"),
        (_NOISE, [layer.mean_noise for layer in each.layers], palette.ORIGINAL, "dash"),
    )
    for name, values, line_colour, dash in lines:
        figure.add_scatter(
            x=x,
            y=values,
            name=name,
            mode="lines+markers",
            line={"color": line_colour, "width": 2, "dash": dash},
            marker={"size": 5},
            customdata=names,
            hovertemplate="%{customdata}<br>%{y:.3f}<extra>" + name + "</extra>",
        )
    if each.parting is not None:
        figure.add_vline(
            each.layers.index(each.parting),
            line={"color": palette.ORIGINAL, "width": 1, "dash": "dot"},
            annotation={"text": _PARTING, "font": {"size": 11}},
        )
    every = -(-len(x) // _NAMED)
    figure.update_xaxes(
        tickvals=x[::every], ticktext=names[::every], tickangle=-60, tickfont={"size": 10}
    )
    figure.update_yaxes(title=DISTANCE, range=[0, top])
    figure.update_layout(height=480)
    return apply_chart_style(figure)


def layers_figure(answers: Sequence[ClassifierLayers], caption: str) -> Figure:
    """The same for all classifiers, for print: one panel each, with one scale."""
    total = _BELOW + _PANEL * len(answers)
    figure = Figure(figsize=(_WIDTH, total), facecolor="white")
    top = top_of(answers)
    colours = classifier_colours(each.robust for each in answers)
    for index, each in enumerate(answers):
        bottom = total - (index + 1) * _PANEL + _NAMES
        box = (0.11, bottom / total, 0.86, (_PANEL - _NAMES - _TITLE) / total)
        _draw(figure.add_axes(box), each, top, colours[index])
    caption_below(figure, caption)
    return figure


def _noise_range(each: ClassifierLayers) -> tuple[list[float], list[float]]:
    """The least and the greatest distance of the draws of noise, layer by layer."""
    return [min(layer.noise) for layer in each.layers], [max(layer.noise) for layer in each.layers]


def _draw(axes: Axes, each: ClassifierLayers, top: float, colour: str) -> None:
    x = list(range(len(each.layers)))
    low, high = _noise_range(each)
    axes.fill_between(x, low, high, color=palette.ORIGINAL, alpha=0.3, linewidth=0)
    axes.plot(
        x,
        [layer.adversarial for layer in each.layers],
        color=colour,
        linewidth=1.2,
        marker="o",
        markersize=2,
        label=_ADVERSARIAL,
    )
    axes.plot(
        x,
        [layer.mean_noise for layer in each.layers],
        color=palette.ORIGINAL,
        linewidth=1.2,
        linestyle="--",
        label=_NOISE,
    )
    if each.parting is not None:
        place = each.layers.index(each.parting)
        axes.axvline(place, color=palette.ORIGINAL, linewidth=0.8, linestyle=":", label=_PARTING)
    quiet_axes(axes, "", "relative distance")
    axes.set_ylim(0, top)
    axes.set_xticks(x, [layer.name for layer in each.layers], rotation=60, ha="right", fontsize=5)
    for label in axes.get_xticklabels():
        label.set_parse_math(False)
    axes.set_title(each.title, fontsize=8, color=colour, parse_math=False)
    axes.legend(fontsize=6, frameon=False, loc="upper left")
