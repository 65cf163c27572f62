"""The part of a photograph that is attacked: shown on it, moved by dragging, keys or sliders."""

from __future__ import annotations

import io
from typing import Any

import streamlit as st
from PIL import Image

from explorer.classifiers import Classifier
from explorer.images.geometry import CENTRE, MAX_ZOOM, Crop, crop_window, min_zoom
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.components.component import component
from explorer.ui.components.images import data_uri
from explorer.ui.components.markdown import plain
from explorer.ui.shared.link_words import allow_only
from explorer.ui.shared.linked_widgets import linked_slider
from explorer.ui.shared.picture import Picture
from explorer.ui.shared.session_memory import once

PREVIEW = 640  # pixels of the longer side
ZOOM_STEPS = 40  # between 0 and 1
POSITION_KEYS = ("crop_x", "crop_y")

_draw = component(__file__)


def choose_crop(picture: Picture, model: Classifier) -> Crop:
    """The crop that the person chooses; centred again when the picture changes.

    Nothing is drawn, and the classifier's own crop returned, if it contains the whole picture.
    """
    _reset_for(picture)
    smallest = min_zoom(model.input_size, model.resize)
    if picture.image.size == model.input_size[::-1] and smallest == 1:
        for key, value in zip(
            (*POSITION_KEYS, "zoom"), (CENTRE.x, CENTRE.y, CENTRE.zoom), strict=True
        ):
            allow_only(key, value, f"{plain(model.title)} sees the whole picture.")
        return CENTRE
    with st.expander(
        "What the classifier sees",
        icon=":material/crop:",
        expanded=picture.source.startswith(UPLOAD_PREFIX),
    ):
        place = st.empty()
        first = _first_slider_step(smallest)
        zoom = linked_slider(
            "Zoom",
            first,
            MAX_ZOOM / 2,
            1.0,
            step=1 / ZOOM_STEPS,
            format="%.2f ×",
            key="zoom",
            help="1 is the part that the classifier usually sees; less shows more of the "
            "photograph.",
        )
        zoomed = Crop(zoom=zoom)
        window = crop_window(picture.image.size, model.input_size, model.resize, zoomed)
        x = _position_slider("Across", "crop_x", window.movable[0])
        y = _position_slider("Down", "crop_y", window.movable[1])
        crop = Crop(x, y, zoom)
        with place:
            data = cropper_data(picture, model, crop)
            _draw(key="cropper", data=data, on_moved_change=_apply_move)
    return crop


def cropper_data(picture: Picture, model: Classifier, crop: Crop) -> dict[str, Any]:
    """What the browser draws, as fractions of the photograph's width and height.

    ``start`` and ``extent`` are the region in which the crop can be moved, ``size`` is that of the
    crop, and ``position`` its place in the region, from 0 to 1.
    """
    window = crop_window(picture.image.size, model.input_size, model.resize, crop)
    width, height = picture.image.size
    left, top, region_width, region_height = window.region
    return {
        "src": once("crop preview", picture.digest, lambda: _preview(picture.image)),
        "alt": f"{picture.title}, the whole photograph",
        "help": "The part the classifier sees: drag it, or move it with the arrow keys.",
        "start": [left / width, top / height],
        "extent": [region_width / width, region_height / height],
        "size": [window.box[2] / width, window.box[3] / height],
        "position": [crop.x, crop.y],
    }


def _first_slider_step(zoom: float) -> float:
    """``zoom`` rounded up so that 1 is one of the slider's steps."""
    return 1 - int((1 - zoom) * ZOOM_STEPS + 1e-9) / ZOOM_STEPS


def _position_slider(label: str, key: str, movable: bool) -> float:
    position = linked_slider(
        label,
        0.0,
        1.0,
        0.5,
        step=0.001,
        format="%.2f",
        key=key,
        disabled=not movable,
    )
    return float(position)


def _reset_for(picture: Picture) -> None:
    last_digest = st.session_state.get("crop of")
    if last_digest is not None and last_digest != picture.digest:
        st.session_state.update(crop_x=CENTRE.x, crop_y=CENTRE.y, zoom=CENTRE.zoom)
    st.session_state["crop of"] = picture.digest


def _apply_move() -> None:
    moved = st.session_state["cropper"].get("moved")
    if (
        isinstance(moved, list)
        and len(moved) == 2
        and all(isinstance(value, int | float) for value in moved)
    ):
        position = (min(1.0, max(0.0, float(value))) for value in moved)
        st.session_state.update(zip(POSITION_KEYS, position, strict=True))


def _preview(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((PREVIEW, PREVIEW), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.convert("RGB").save(buffer, "WEBP", quality=85)
    return data_uri(buffer.getvalue(), "image/webp")
