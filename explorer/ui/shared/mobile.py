"""A hint for narrow screens, where the sidebar is closed at first."""

from __future__ import annotations

import streamlit as st


def mobile_hint() -> None:
    """One line about the sidebar, on narrow screens only."""
    with st.container(key="mobile_hint"):
        st.caption("Open the controls with » at the top left.")
