"""A page for a projector: large type, no top bar, and the keys of a remote control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer.ui.components.component import component

_PAGE = Path(__file__).with_name("presenter_page.css")

_listen = component(__file__)


def presenter(
    key: str, stop: int, numbers: range, go_to: Callable[[int], None], leave: Callable[[], None]
) -> None:
    """Show this page, the one with the number ``stop``, in the presenter's mode.

    ``go_to`` gets one of the ``numbers`` after a key: the right arrow and Page Down are one stop
    on, the left arrow and Page Up one back. Keys that come while the page answers another are not
    lost. ``leave`` is called for Escape. A key that another part of the page uses does nothing.
    """

    def report_stop() -> None:
        asked = st.session_state[key].get("asked")
        if isinstance(asked, list) and asked and asked[0] in numbers:
            go_to(asked[0])

    def report_left() -> None:
        if st.session_state[key].get("left"):
            leave()

    st.html(_PAGE)
    data = {"stop": stop, "first": numbers[0], "last": numbers[-1]}
    _listen(key=key, data=data, on_asked_change=report_stop, on_left_change=report_left)
