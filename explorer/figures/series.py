"""Classifiers as series of a chart: a colour, a line and a marker for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from explorer.figures import palette

_OTHERS = (palette.LOSS, palette.ADVERSARIAL, palette.PREDICTED, palette.ORIGINAL)
# The names of plotly, and the same markers in matplotlib.
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star")
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "cross": "P",
    "x": "X",
    "star": "*",
}


@dataclass(frozen=True)
class Series:
    """A classifier in a chart: ``name`` in the catalogue, ``title``, and whether it is robust."""

    name: str
    title: str
    robust: bool = False


@dataclass(frozen=True)
class Style:
    """How a series is drawn; ``symbol`` is a marker of plotly."""

    colour: str
    symbol: str


def styles(series: Sequence[Series]) -> list[Style]:
    """A style for each series, by its place and whether it is robust.

    The first standard classifier is blue and the first robust one orange, as on every page; no
    other series has these colours, and neighbours differ in their marker too.
    """
    taken: set[str] = set()
    result: list[Style] = []
    for index, each in enumerate(series):
        own = palette.ROBUST if each.robust else palette.STANDARD
        colour = own if own not in taken else _OTHERS[len(result) % len(_OTHERS)]
        taken.add(colour)
        result.append(Style(colour, _SYMBOLS[index % len(_SYMBOLS)]))
    return result


def translucent(colour: str, alpha: float) -> str:
    """A colour ``#RRGGBB`` as plotly's ``rgba(…)``."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"
