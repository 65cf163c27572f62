"""A hint for narrow screens, where the sidebar is closed at first."""

from __future__ import annotations

import streamlit as st

_NARROW_ONLY = """
<style>
.st-key-mobile_hint { display: none }
@media (max-width: 768px) { .st-key-mobile_hint { display: flex } }
</style>
"""


def mobile_hint() -> None:
    """One line about the sidebar, on narrow screens only."""
    with st.container(key="mobile_hint"):
        st.html(_NARROW_ONLY)
        st.caption("Open the controls with » at the top left.")
