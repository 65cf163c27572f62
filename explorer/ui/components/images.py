"""Images for the browser: how their bytes travel, and when their pixels show as squares."""

from __future__ import annotations

import base64

PIXELATED_BELOW = 128  # pixels of the longer side: a smaller image is enlarged without smoothing


def data_uri(data: bytes, mime: str) -> str:
    """``data`` as a URI for the ``src`` of an image; ``mime`` is its type, such as image/png."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
