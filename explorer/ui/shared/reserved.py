"""A place that a page keeps for what comes later. Most are in ``components/places.css``."""

from __future__ import annotations

import streamlit as st


def reserve_sidebar() -> None:
    """Open the sidebar at once. Without anything in it, it would come with the first control."""
    st.sidebar.container()
