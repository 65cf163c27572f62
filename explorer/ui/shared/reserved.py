"""A place for progress above a result, so that the result does not move when it comes and goes."""

from __future__ import annotations

import streamlit as st

# The height of a progress bar with its text, which has two lines on a narrow screen. A part of it
# is the gap below the title.
_STYLE = """
<style>
.st-key-notice { min-height: 35px; margin-top: -1rem }
@media (max-width: 768px) { .st-key-notice { min-height: 56px } }
</style>
"""


def reserve_progress() -> None:
    """Keep the place of a progress bar in the page's container with the key "notice"."""
    st.html(_STYLE)
