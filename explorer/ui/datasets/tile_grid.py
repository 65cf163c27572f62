"""A page of a set as tiles: image, label, and two small bars for the confidence in that label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from explorer.figures import palette
from explorer.figures.captions import confidence_text
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.datasets.loaded_set import LoadedSet, label_name

KEY = "tile_grid"

_draw = component(__file__)


def tile_grid(
    loaded: LoadedSet,
    indices: Sequence[int],
    confidence: Tensor | None,
    names: Sequence[str],
    on_click: Callable[[], None],
) -> None:
    """Draw the images at ``indices`` with the names of their labels.

    ``confidence`` [2, N] is that of the standard and the robust classifier in each label; None
    draws no bars. ``on_click`` is called without arguments: it can ask :func:`clicked_index`.
    """
    data = grid_data(loaded, indices, confidence, names)
    _draw(key=KEY, data=data, on_clicked_change=on_click)


def clicked_index() -> int | None:
    """The index of the image whose tile was clicked, inside a callback."""
    index = st.session_state[KEY].get("clicked")
    return index if isinstance(index, int) else None


def grid_data(
    loaded: LoadedSet, indices: Sequence[int], confidence: Tensor | None, names: Sequence[str]
) -> dict[str, Any]:
    """Everything that the browser shows."""
    return {
        "pixelated": max(loaded.set.data.images.shape[-2:]) < PIXELATED_BELOW,
        "tiles": [_tile(loaded, index, confidence, names) for index in indices],
    }


def _tile(
    loaded: LoadedSet, index: int, confidence: Tensor | None, names: Sequence[str]
) -> dict[str, Any]:
    label = loaded.label(index)
    name = label_name(label, names)
    text, bars = f"image {index}, labelled {name}", []
    if confidence is not None and label is not None:
        standard, robust = confidence[:2, index].tolist()
        bars = [
            _bar("standard", palette.STANDARD, standard),
            _bar("robust", palette.ROBUST, robust),
        ]
        text += "; confidence in that: " + ", ".join(f"{bar['kind']} {bar['text']}" for bar in bars)
    image = loaded.set.data.images[index].to(torch.float32) / 255
    src = data_uri(to_png(image), "image/png")
    return {"index": index, "src": src, "label": name, "bars": bars, "help": text}


def _bar(kind: str, colour: str, value: float) -> dict[str, Any]:
    return {"kind": kind, "colour": colour, "value": value, "text": confidence_text(value)}
