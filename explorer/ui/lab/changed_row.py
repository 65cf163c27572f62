"""Pictures in a row with a caption each, small ones as squares and not smoothed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st
from PIL import Image
from torch import Tensor

from explorer.experiments.before_and_after import ChangedPicture
from explorer.figures.captions import confidence_text
from explorer.images.geometry import to_uint8
from explorer.ui.components.images import PIXELATED_BELOW
from explorer.ui.components.markdown import plain, words
from explorer.ui.shared.imports import picture_drawn

TILE = 128  # pixels
NO_BREAK = "\N{NO-BREAK SPACE}"


def picture_row(pictures: Iterable[tuple[Tensor, str]], key: str, side: int = TILE) -> None:
    """Draw float32 [C, H, W] in [0, 1], each with a caption in Markdown."""
    with st.container(horizontal=True, key=key):
        for image, text in pictures:
            st.image(
                _tile(image, side), caption=text, width=side, output_format="PNG", alt=words(text)
            )
    picture_drawn()


def changed_row(
    change: Tensor, title: str, pictures: Sequence[ChangedPicture], key: str, side: int = TILE
) -> None:
    """Draw the change under its ``title``, then the changed pictures with what is said of them."""
    tiles = [(change, title), *((each.image, caption(each)) for each in pictures)]
    picture_row(tiles, key, side)


def caption(picture: ChangedPicture) -> str:
    """What the classifier said before, and says now, as Markdown."""
    confidence = confidence_text(picture.confidence).replace(" ", NO_BREAK)
    after = f"{plain(picture.after)}, {confidence}"
    if picture.before == picture.after:
        return f"still {after}"
    return f"{plain(picture.before)} → **{after}**"


def _tile(image: Tensor, side: int) -> npt.NDArray[np.uint8]:
    """uint8 [side, side, 3], twice as large for dense screens."""
    picture = Image.fromarray(to_uint8(image))
    is_small = max(picture.size) < PIXELATED_BELOW
    sampling = Image.Resampling.NEAREST if is_small else Image.Resampling.LANCZOS
    return np.asarray(picture.resize((2 * side, 2 * side), sampling))
