"""A page of a set as tiles: each image with its label and two small bars for what the classifiers believe of that label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st
import torch
from torch import Tensor

from explorer.figures import palette
from explorer.figures.captions import percent
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import PIXELATED_BELOW, data_uri
from explorer.ui.datasets.loaded_set import LoadedSet

KEY = "set_grid"

_draw = component(__file__)


def set_grid(
    opened: LoadedSet,
    indices: Sequence[int],
    confidence: Tensor | None,
    names: Sequence[str],
    on_open: Callable[[], None],
) -> None:
    """Draw the images at ``indices``; ``confidence`` [2, N] are the standard's and the robust classifier's, or None."""
    _draw(key=KEY, data=grid_data(opened, indices, confidence, names), on_opened_change=on_open)


def opened_index() -> int | None:
    """The image whose tile was pressed, in a call-back."""
    index = st.session_state[KEY].get("opened")
    return index if isinstance(index, int) else None


def grid_data(
    opened: LoadedSet, indices: Sequence[int], confidence: Tensor | None, names: Sequence[str]
) -> dict[str, Any]:
    """Everything the browser shows."""
    images = opened.set.data.images
    return {
        "pixelated": max(images.shape[-2:]) < PIXELATED_BELOW,
        "tiles": [_tile(opened, index, confidence, names) for index in indices],
    }


def _tile(
    opened: LoadedSet, index: int, confidence: Tensor | None, names: Sequence[str]
) -> dict[str, Any]:
    label = opened.label(index)
    name = names[label] if 0 <= label < len(names) else f"class {label}"
    bars = []
    if confidence is not None:
        for kind, colour, value in zip(
            ("standard", "robust"),
            (palette.STANDARD, palette.ROBUST),
            confidence[:2, index].tolist(),
            strict=True,
        ):
            bars.append({"kind": kind, "colour": colour, "value": value, "text": percent(value)})
    said = ", ".join(f"{bar['kind']} {bar['text']}" for bar in bars)
    image = opened.set.data.images[index].to(torch.float32) / 255
    return {
        "index": index,
        "src": data_uri(to_png(image), "image/png"),
        "label": name,
        "bars": bars,
        "help": f"image {index}, labelled {name}"
        + (f"; confidence in that: {said}" if said else ""),
    }
