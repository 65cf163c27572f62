"""What a page says on a phone, where the sidebar is closed at first."""

from __future__ import annotations

import streamlit as st

_ONLY_NARROW = """
<style>
.st-key-where_controls_are { display: none }
@media (max-width: 768px) { .st-key-where_controls_are { display: flex } }
</style>
"""


def mobile_hint() -> None:
    """One line, on narrow screens only."""
    with st.container(key="where_controls_are"):
        st.html(_ONLY_NARROW)
        st.caption("The controls are in the sidebar: open it with the » above.")
