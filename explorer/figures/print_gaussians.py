"""Two Gaussians for print: points, decision lines, covariances and ε, as the paper's figure 4."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Ellipse

from explorer.experiments.gaussians import Array, TwoGaussians
from explorer.experiments.gaussians_table import LinearClassifier, classifiers_of
from explorer.figures import palette
from explorer.figures.captions import confidence_text

WIDTH, HEIGHT = 5.5, 3.6  # inches: the width of a text column
REACH = (20.0, 10.0)
POINTS = 300
_STYLES = {"standard": (palette.STANDARD, "-"), "robust": (palette.ROBUST, "--")}


def gaussians_figure(gaussians: TwoGaussians, radius: float) -> Figure:
    """The plane with both classifiers and their errors; ``radius`` is ε."""
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.add_subplot()
    points, labels = gaussians.sample(POINTS)
    for label, fill in ((1, palette.ORIGINAL), (-1, "none")):
        rows = points[labels == label]
        axes.scatter(
            rows[:, 0],
            rows[:, 1],
            s=6,
            facecolors=fill,
            edgecolors=palette.ORIGINAL,
            linewidths=0.6,
        )
    for each in classifiers_of(gaussians, radius):
        _draw_classifier(axes, gaussians, each)
    if radius > 0:
        circle = Circle(tuple(gaussians.mean), radius, fill=False, linestyle=":", linewidth=1)
        circle.set_edgecolor(palette.ADVERSARIAL)
        axes.add_patch(circle)
    axes.set(xlim=(-REACH[0], REACH[0]), ylim=(-REACH[1], REACH[1]), aspect="equal")
    axes.set(xlabel="$x_1$", ylabel="$x_2$", title=f"ε = {radius:g}")
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.15), fontsize=7, frameon=False)
    return figure


def _draw_classifier(axes: Axes, gaussians: TwoGaussians, each: LinearClassifier) -> None:
    colour, style = _STYLES[each.name]
    along = np.array([-each.w[1], each.w[0]]) / np.linalg.norm(each.w)
    text = (
        f"{each.name}: wrong on {confidence_text(each.error)} of points, "
        f"on {confidence_text(each.adversarial_error)} under attack"
    )
    axes.axline((0.0, 0.0), xy2=tuple(along), color=colour, linestyle=style, label=text)
    for sign in (1, -1):
        axes.add_patch(_ellipse(sign * gaussians.mean, each.covariance, colour, style))


def _ellipse(centre: Array, covariance: Array, colour: str, style: str) -> Ellipse:
    """The points at one standard deviation."""
    values, vectors = np.linalg.eigh(covariance)
    lengths = 2 * np.sqrt(values)
    angle = float(np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])))
    ellipse = Ellipse(tuple(centre), lengths[1], lengths[0], angle=angle, fill=False)
    ellipse.set(edgecolor=colour, linestyle=style, linewidth=1.2)
    return ellipse
