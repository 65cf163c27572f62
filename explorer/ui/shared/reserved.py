"""Places that a page keeps for what comes later, so that nothing moves when it comes."""

from __future__ import annotations

import streamlit as st

# The height of a progress bar with its text, beside the title in a wide window. In a narrow one,
# where the text has two lines, it takes the place of the hint below the title.
_STYLE = """
<style>
.st-key-notice { min-height: 42px; margin: -3.9rem 0 0 18rem; width: auto }
@media (max-width: 768px) {
  .st-key-notice { min-height: 56px; margin: -3.4rem 0 0 }
  [data-testid=stMain]:has(.st-key-notice [data-testid=stElementContainer]) .st-key-mobile_hint {
    visibility: hidden
  }
}
</style>
"""


def reserve_progress() -> None:
    """Keep the place of a progress bar in the page's container with the key "notice"."""
    st.html(_STYLE)


def reserve_sidebar() -> None:
    """Open the sidebar at once. Without anything in it, it would come with the first control."""
    st.sidebar.container()
