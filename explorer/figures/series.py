"""Classifiers as series of a chart: a colour, a line and a marker for each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from explorer.figures import palette

# For all classifiers but the first standard and the first robust one. The first three differ from
# blue, from orange and from each other for people with any colour deficiency, and from the colours
# of the outcomes, which stand beside them on the comparison page.
_OTHERS = (
    *("#9C755F", "#C06A9E", "#5C6670"),
    *(palette.LOSS, palette.PREDICTED, palette.ADVERSARIAL, palette.ORIGINAL),
)
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
    """A style for each series: its own colour, and a marker that its neighbours do not have."""
    colours = classifier_colours(each.robust for each in series)
    return [Style(colour, _SYMBOLS[index % len(_SYMBOLS)]) for index, colour in enumerate(colours)]


def classifier_colours(robust: Iterable[bool]) -> list[str]:
    """A colour for each classifier that is shown together, which are ``robust`` or not.

    The first standard one is blue and the first robust one orange, as on every page. No two have
    the same colour, up to seven besides these.
    """
    colours: list[str] = []
    others = 0
    for each in robust:
        colour = palette.ROBUST if each else palette.STANDARD
        if colour in colours:
            colour = _OTHERS[others % len(_OTHERS)]
            others += 1
        colours.append(colour)
    return colours


def translucent(colour: str, alpha: float) -> str:
    """A colour ``#RRGGBB`` as plotly's ``rgba(…)``."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"
