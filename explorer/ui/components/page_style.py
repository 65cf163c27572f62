"""The style of all pages, beside that of Streamlit's theme in ``.streamlit/config.toml``."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_STYLES = (Path(__file__).with_suffix(".css"), Path(__file__).with_name("places.css"))


def page_style() -> None:
    """Put the style of all pages on this one. It takes no place."""
    for style in _STYLES:
        st.html(style)
