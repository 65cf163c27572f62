"""A brush over a picture: with a mouse, a finger or the keyboard, on a grid of squares."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from explorer.experiments.features.mask import SIDE
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri

BRUSHED = "brushed"  # what the browser reports: the squares as digits, when the brush is lifted
ALT = (
    "The picture. Brush with the mouse or a finger. With the keyboard: the arrow keys move the "
    "brush, the space bar lowers and lifts it."
)

_draw = component(__file__)


def brush(image: Tensor, cells: str, key: str, on_brushed: Callable[[], None]) -> None:
    """Draw ``image`` [C, H, W] with the marked squares ``cells``; ``on_brushed`` is called after
    each stroke.
    """
    data = {
        "src": data_uri(to_png(image), "image/png"),
        "pixelated": max(image.shape[-2:]) < PIXELATED_BELOW,
        "cells": cells,
        "side": SIDE,
        "alt": ALT,
    }
    _draw(key=key, data=data, on_brushed_change=on_brushed)
