"""The style of the tour: places that are kept, so that nothing moves when they are filled."""

from __future__ import annotations

import streamlit as st

_STYLE = """
<style>
.st-key-tour-navigation { row-gap: 0.3rem }
.st-key-tour-answer { min-height: 3.2rem }
.st-key-tour-status { min-width: 10rem; height: 2.6rem; overflow: hidden }
.st-key-tour-status p { white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
.st-key-tour-question label p { font-size: 1.05rem; font-weight: 600 }
@media (max-width: 768px) {
  .st-key-tour-answer { min-height: 6rem }
  .st-key-tour-navigation { gap: 0.3rem }
  .st-key-tour-navigation .st-key-stop button { min-width: 36px; padding: 0 0.3rem }
  .st-key-tour_previous button p, .st-key-tour_next button p {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)
  }
}
</style>
"""
# Of the pictures of each stop, in pixels: in a wide window, at 1024 pixels, and on a phone.
# Measured in Chromium; what the stop draws is a little higher.
_HEIGHTS = {
    1: (620, 510, 630),
    2: (388, 388, 700),
    3: (580, 470, 540),
    4: (420, 420, 280),
    5: (460, 460, 330),
    6: (690, 610, 1500),
    7: (460, 460, 330),
}
_HEIGHT = """
<style>
.st-key-first {{ min-height: var(--stop-height, {}px) }}
@media (max-width: 1280px) {{ .st-key-first {{ min-height: var(--stop-height, {}px) }} }}
@media (max-width: 768px) {{ .st-key-first {{ min-height: 0 }} }}
@media (max-width: 430px) {{ .st-key-first {{ min-height: var(--stop-height, {}px) }} }}
</style>
"""


def reserve_places(number: int) -> None:
    """Give the parts of the stop with this number their style, by the keys of their containers."""
    st.html(_STYLE)
    st.html(_HEIGHT.format(*_HEIGHTS[number]))
