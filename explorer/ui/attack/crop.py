"""Which part of a photograph is attacked: seen on the photograph itself, moved by dragging, by keys or by sliders."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import streamlit as st
from PIL import Image

from explorer.classifiers import Classifier
from explorer.images.geometry import CENTRE, MOST_ZOOM, Crop, crop_window, least_zoom
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.components.component import component
from explorer.ui.components.images import data_uri
from explorer.ui.shared.picture import Picture

PREVIEW = 640  # pixels of the longer side
STEPS = 40  # of the zoom between 0 and 1
KEYS = ("crop_x", "crop_y", "zoom")
BIND: Any = "query-params"

_draw = component(__file__)


def choose_crop(picture: Picture, model: Classifier) -> Crop:
    """The crop the person wants; the classifier's own where a picture has nothing outside it. A new picture starts afresh."""
    _start_afresh(picture)
    least = least_zoom(model.input_size, model.resize)
    if picture.image.size == model.input_size[::-1] and least == 1:
        return CENTRE
    with st.expander(
        "What the classifier sees",
        icon=":material/crop:",
        expanded=picture.source.startswith(UPLOAD_PREFIX),
    ):
        place = st.empty()
        zoom = st.slider(
            "Zoom",
            _rounded_up(least),
            MOST_ZOOM / 2,
            1.0,
            step=1 / STEPS,
            format="%.2f ×",
            key="zoom",
            bind=BIND,
            help="1 is the classifier's own crop; less shows more of the photograph.",
        )
        movable = crop_window(
            picture.image.size, model.input_size, model.resize, Crop(zoom=zoom)
        ).movable
        x = _slider("Across", "crop_x", movable[0])
        y = _slider("Down", "crop_y", movable[1])
        crop = Crop(x, y, zoom)
        with place:
            _draw(
                key="cropper", data=cropper_data(picture, model, crop), on_moved_change=_take_move
            )
    return crop


def cropper_data(picture: Picture, model: Classifier, crop: Crop) -> dict[str, Any]:
    """What the browser draws: shares of the photograph's width and height."""
    seen = crop_window(picture.image.size, model.input_size, model.resize, crop)
    width, height = picture.image.size
    left, top, across, down = seen.cut
    return {
        "src": _preview(_Previewed(picture.digest, picture.image)),
        "alt": f"{picture.title}, whole",
        "help": "The part the classifier sees: drag it, or move it with the arrow keys.",
        "start": [left / width, top / height],
        "extent": [across / width, down / height],
        "share": [seen.box[2] / width, seen.box[3] / height],
        "place": [crop.x, crop.y],
    }


def _rounded_up(zoom: float) -> float:
    """To the slider's steps, so that 1 is one of them."""
    return 1 - int((1 - zoom) * STEPS + 1e-9) / STEPS


def _slider(label: str, key: str, movable: bool) -> float:
    return float(
        st.slider(
            label,
            0.0,
            1.0,
            0.5,
            step=0.001,
            format="%.2f",
            key=key,
            bind=BIND,
            disabled=not movable,
        )
    )


def _start_afresh(picture: Picture) -> None:
    before = st.session_state.get("crop of")
    if before is not None and before != picture.digest:
        st.session_state.update(zip(KEYS, (CENTRE.x, CENTRE.y, CENTRE.zoom), strict=True))
    st.session_state["crop of"] = picture.digest


def _take_move() -> None:
    moved = st.session_state["cropper"].get("moved")
    if (
        isinstance(moved, list)
        and len(moved) == 2
        and all(isinstance(value, int | float) for value in moved)
    ):
        st.session_state.update(
            zip(KEYS[:2], (min(1.0, max(0.0, float(value))) for value in moved), strict=True)
        )


@dataclass(frozen=True)
class _Previewed:
    """A picture that is told from others by its digest: the picture itself can't be hashed."""

    digest: str
    image: Image.Image = field(compare=False)


@lru_cache(maxsize=32)
def _preview(picture: _Previewed) -> str:
    small = picture.image.copy()
    small.thumbnail((PREVIEW, PREVIEW), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    small.convert("RGB").save(buffer, "WEBP", quality=85)
    return data_uri(buffer.getvalue(), "image/webp")
