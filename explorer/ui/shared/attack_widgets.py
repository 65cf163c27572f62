"""Widgets of an attack, which several pages have. Their values are in the page's address.

``page`` begins the keys of a page's widgets: Streamlit takes two widgets with one key for the same,
on different pages too. The attack page's keys begin with nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

import streamlit as st

from explorer.settings import MAX_SEED, PRECISIONS
from explorer.ui.shared.link_words import allow
from explorer.ui.shared.linked_widgets import linked_number, linked_slider

BIND: Final = "query-params"
NORMS = {"L∞": "linf", "L2": "l2"}
_NAMES = {norm: option for option, norm in NORMS.items()}  # that commands give the options
MAX_LINF = 32.0  # levels of 255
MAX_STEPS, MAX_RESTARTS = 200, 10

_NORM_HELP = "L∞: no value may change by more than ε. L2: ε is the length of the whole change."


def choose_one(
    label: str,
    options: list[str],
    key: str,
    help_: str,
    names: Mapping[str, str] | None = None,
) -> str:
    """One of ``options``, the first at the start, as a row of buttons.

    ``names`` are others that an address may give them.
    """
    allow(key, options, names)
    return str(
        st.segmented_control(
            label, options, default=options[0], required=True, key=key, bind=BIND, help=help_
        )
    )


def class_options(labels: tuple[str, ...]) -> list[str]:
    """The class names, made unique: ImageNet's two cranes get their class index in addition."""
    counts = Counter(labels)
    return [
        label if counts[label] == 1 else f"{label} ({index})" for index, label in enumerate(labels)
    ]


def class_index(options: list[str], option: str | None) -> int | None:
    """The class of an option, or None if there is no such option."""
    return options.index(option) if option in options else None


def choose_norm(page: str = "") -> str:
    """The norm, linf or l2."""
    return NORMS[
        choose_one("Size of the change measured by", list(NORMS), f"{page}norm", _NORM_HELP, _NAMES)
    ]


def l2_range(size: tuple[int, int]) -> tuple[float, float, float]:
    """The default, the largest and the step of an L2 radius for images of ``size``.

    A change of the same size per pixel is longer in a larger image: the paper's 0.5 at 32 × 32 is
    scaled by the side.
    """
    scale = math.sqrt(size[0] * size[1]) / 32
    return round(0.5 * scale, 1), float(math.ceil(4 * scale)), 0.05


def choose_epsilon(norm: str, size: tuple[int, int], page: str = "") -> float:
    """ε in pixels of [0, 1], for pictures of ``size`` (height, width)."""
    if norm == "linf":
        levels = linked_slider(
            "ε: largest change per value (of 255)",
            0.0,
            MAX_LINF,
            4.0,
            step=0.25,
            format="%g/255",
            key=f"{page}linf",
            help="The most by which any value of any pixel may change, out of 255.",
        )
        return float(levels) / 255
    default, largest, step = l2_range(size)
    radius = linked_slider(
        "ε: length of the change (L2)",
        0.0,
        largest,
        default,
        step=step,
        format="%.2f",
        key=f"{page}l2",
        help="The length of the whole change: the root of the sum of the squares of the changes of "
        "all values, which run from 0 (black) to 1.",
    )
    return float(radius)


def choose_steps(page: str = "") -> int:
    """How many steps PGD takes."""
    return int(linked_slider("Steps", 1, MAX_STEPS, 40, key=f"{page}steps"))


def choose_restarts(page: str = "") -> int:
    """From how many random starts PGD begins."""
    restarts = linked_number(
        "Restarts",
        1,
        MAX_RESTARTS,
        1,
        key=f"{page}restarts",
        help="Try this many random starts and keep the best.",
    )
    return int(restarts)


def choose_precision(page: str = "") -> str:
    """The precision of the gradients."""
    allow(f"{page}precision", PRECISIONS)
    precision = st.selectbox(
        "Precision",
        PRECISIONS,
        key=f"{page}precision",
        bind=BIND,
        help="How exactly gradients are computed. “auto” is the quickest form on this machine; a "
        "link names the one that was used. Whether an attack succeeded is always decided in "
        "float32.",
    )
    return str(precision)


def choose_seed(help_: str, page: str = "") -> int:
    """The seed of all that is random; ``help_`` says what that is."""
    seed = linked_number("Seed", 0, MAX_SEED, 0, key=f"{page}seed", help=help_)
    return int(seed)
