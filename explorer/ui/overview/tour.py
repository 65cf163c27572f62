"""The way through the tour: which stop is open, the buttons to others, and its first text.

It imports nothing slow, so that the page shows this before the first attack is computed.
"""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.overview.places import Places
from explorer.ui.overview.presenter import PRESENT, presenters_mode
from explorer.ui.overview.stops import FIRST, LAST, STOPS, Stop
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.link_words import allow

_SHOWN = "tour stop and side"  # in the session's state
STOP = "stop"  # the key of the widget with the number of the stop, also in the address
LINKED = (STOP, PRESENT)
EVERY_KEY = (*LINKED, *(key for stop in STOPS for key in stop.linked))


def begin_stop() -> tuple[Stop, Places]:
    """The stop that is open, with its title and sentence drawn, and the places of what follows."""
    remember_asked(*EVERY_KEY)
    stop, status = _navigation()
    notice = st.container()
    st.title(stop.title)
    st.markdown(stop.sentence)
    side = _side(stop.number)
    picture = _place(f"tour-stop-{stop.number}", side)
    asked = _place("tour-asked", side)
    return stop, Places(picture, asked, status, notice)


def _side(number: int) -> int:
    """0 or 1, another one than that of the stop which was open before."""
    shown, side = st.session_state.get(_SHOWN, (number, 0))
    if shown != number:
        side = 1 - side
    st.session_state[_SHOWN] = number, side
    return int(side)


def _place(key: str, side: int) -> DeltaGenerator:
    """The container of one of two sides; the other side is empty.

    In a container the elements of the last run stay until others take their places: a visitor would
    see the old stop below the new title.
    """
    both = [st.empty() if each != side else st.container(key=key) for each in (0, 1)]
    both[side].empty()  # a container with nothing in it would not keep its place
    return both[side]


def go_to(number: int) -> None:
    """Open a stop, in a callback."""
    st.session_state[STOP] = str(number)


def _navigation() -> tuple[Stop, DeltaGenerator]:
    """The row with the stops, above everything else, so that it never moves.

    At its end there is the place of a progress bar.
    """
    numbers = [str(stop.number) for stop in STOPS]
    allow(STOP, numbers)
    allow(PRESENT, ("true", "false"))
    with st.container(key="tour-navigation", horizontal=True, vertical_alignment="center"):
        back = st.container(width="content")
        chosen = st.segmented_control(
            "Stop of the tour",
            numbers,
            default=str(FIRST),
            required=True,
            key=STOP,
            bind="query-params",
            label_visibility="collapsed",
        )
        onward = st.container(width="content")
        stop = STOPS[int(str(chosen)) - FIRST]
        _button(back, "Previous", "tour_previous", stop.number - 1)
        _button(onward, "Next", "tour_next", stop.number + 1)
        presenters_mode(stop.number, range(FIRST, LAST + 1), go_to)
        status = st.container(key="tour-status", width="stretch", gap=None)
    return stop, status


def _button(place: DeltaGenerator, label: str, key: str, number: int) -> None:
    is_next = label == "Next"
    place.button(
        label,
        key=key,
        icon=":material/arrow_forward:" if is_next else ":material/arrow_back:",
        icon_position="right" if is_next else "left",
        type="primary" if is_next else "secondary",
        disabled=not FIRST <= number <= LAST,
        on_click=go_to,
        args=(number,),
    )
