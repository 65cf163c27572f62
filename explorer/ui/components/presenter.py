"""A page for a projector: large type, no top bar, and the keys of a remote control."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer.ui.components.component import component

NEXT, PREVIOUS, LEAVE = "next", "previous", "leave"
_PAGE = Path(__file__).with_name("presenter_page.css")

_listen = component(__file__)


def presenter(key: str, on_key: Callable[[str], None]) -> None:
    """Show this page in the presenter's mode.

    ``on_key`` gets :data:`NEXT` for the right arrow or Page Down, :data:`PREVIOUS` for the left
    arrow or Page Up, and :data:`LEAVE` for Escape, unless another part of the page has used the
    key.
    """

    def report_key() -> None:
        pressed = st.session_state[key].get("pressed")
        if pressed in (NEXT, PREVIOUS, LEAVE):
            on_key(pressed)

    st.html(_PAGE)
    _listen(key=key, data={}, on_pressed_change=report_key)
