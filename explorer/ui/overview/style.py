"""The style of the tour: places that are kept, so that nothing moves when they are filled."""

from __future__ import annotations

import streamlit as st

_STYLE = """
<style>
.st-key-tour-navigation { row-gap: 0.3rem }
.st-key-tour-answer { min-height: 3.2rem }
.st-key-tour-status { min-width: 14rem; height: 2.6rem; overflow: hidden }
.st-key-tour-question label p { font-size: 1.05rem; font-weight: 600 }
@media (max-width: 768px) {
  .st-key-tour-answer { min-height: 6rem }
  .st-key-tour-navigation { gap: 0.3rem }
  .st-key-tour-navigation .st-key-stop button { min-width: 0; padding: 0 0.55rem }
  .st-key-tour_previous button p, .st-key-tour_next button p { display: none }
}
</style>
"""


def reserve_places() -> None:
    """Give the parts of the page their style, by the keys of their containers."""
    st.html(_STYLE)
