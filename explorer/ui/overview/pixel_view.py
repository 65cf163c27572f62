"""One pixel of an attack followed: its gradient, the sign, the step, and its way within ε."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.experiments.one_image.pixel_steps import PixelSteps
from explorer.images.geometry import to_png
from explorer.ui.components.component import component
from explorer.ui.components.images import data_uri
from explorer.ui.shared.imports import picture_drawn

# Colours with a contrast of 3 : 1 on the light and the dark page, and a dash for each.
CHANNELS = (("red", "#D1495B", ""), ("green", "#3A8F3A", "7 3"), ("blue", "#3A7BD5", "2 3"))
LEVELS = 255

_draw = component(__file__)


def pixel_view(
    steps: PixelSteps,
    pixel: tuple[int, int],
    key: str,
    on_pixel: Callable[[tuple[int, int]], None],
    *,
    is_answered: bool,
) -> None:
    """Draw the picture and what happens at ``pixel`` (row, column).

    ``on_pixel`` gets the pixel that the visitor chooses. Until ``is_answered`` nothing is said of
    the step itself.
    """
    height, width = steps.frames.shape[-2:]

    def report_pixel() -> None:
        chosen = st.session_state[key].get("pixel")
        if isinstance(chosen, list) and len(chosen) == 2:
            row, column = (int(value) for value in chosen)
            if 0 <= row < height and 0 <= column < width:
                on_pixel((row, column))

    data = pixel_data(steps, pixel, is_answered=is_answered)
    _draw(key=key, data=data, on_pixel_change=report_pixel)
    picture_drawn()


def signed(value: float) -> str:
    """``+0.446`` or ``−0.446``."""
    return f"{value:+.3g}".replace("-", "−")


def pixel_data(steps: PixelSteps, pixel: tuple[int, int], *, is_answered: bool) -> dict[str, Any]:
    """What the browser shows: values and changes in levels of 255."""
    row, column = pixel
    recipe = steps.report.recipe
    path = steps.frames[:, :, row, column].double() * LEVELS  # [T + 1, C]
    channels = []
    for index in range(path.shape[1]):
        name, colour, dash = CHANNELS[index] if path.shape[1] > 1 else ("grey", "#7A828C", "")
        slope = float(steps.gradient[index, row, column])
        changes = [float(value - path[0, index]) for value in path[:, index]]
        channels.append(
            {
                "name": name,
                "colour": colour,
                "dash": dash,
                "value": f"{float(path[0, index]):.0f}",
                "gradient": signed(slope),
                "sign": "+" if slope > 0 else "−" if slope < 0 else "0",
                "step": signed(changes[1]) if is_answered else "?",
                "path": changes if is_answered else [],
            }
        )
    height, width = steps.frames.shape[-2:]
    return {
        "src": data_uri(to_png(steps.frames[0]), "image/png"),
        "alt": f"the original; the pixel in row {row}, column {column} is marked",
        "height": height,
        "width": width,
        "pixel": [row, column],
        "epsilon": recipe.epsilon * LEVELS,
        "epsilon_text": f"{recipe.epsilon * LEVELS:.4g}",
        "steps": recipe.steps,
        "channels": channels,
    }
