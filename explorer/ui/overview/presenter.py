"""The switch of the presenter's mode: a tour for a projector, in the address as ``present``."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.ui.components.presenter import presenter

PRESENT = "present"  # the key of the switch


def presenters_mode(stop: int, numbers: range, go_to: Callable[[int], None]) -> None:
    """Draw the switch, and listen to the keys while it is on.

    ``stop`` is the one that is open, and ``go_to`` is called with another of the ``numbers``.
    """

    def leave() -> None:
        st.session_state[PRESENT] = False

    is_on = st.toggle(
        "Present",
        key=PRESENT,
        bind="query-params",
        help="For a projector: large type and nothing else on the screen. The arrow keys and a "
        "presenter's remote control go to the next and the previous stop; Escape leaves. The other "
        "pages have a switch for large type at their end.",
    )
    if is_on:
        presenter("tour_keys", stop, numbers, go_to, leave)
