"""The switch of the presenter's mode: a tour for a projector, in the address as ``present``."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.ui.components.presenter import NEXT, PREVIOUS, presenter

PRESENT = "present"  # the key of the switch


def presenters_mode(move: Callable[[int], None]) -> None:
    """Draw the switch, and listen to the keys while it is on.

    ``move`` is called with 1 for the next stop and -1 for the previous one.
    """

    def press(key: str) -> None:
        if key == NEXT:
            move(1)
        elif key == PREVIOUS:
            move(-1)
        else:
            st.session_state[PRESENT] = False

    is_on = st.toggle(
        "Present",
        key=PRESENT,
        bind="query-params",
        help="For a projector: large type and nothing else on the screen. The arrow keys and a "
        "presenter's remote control go to the next and the previous stop; Escape leaves.",
    )
    if is_on:
        presenter("tour_keys", press)
