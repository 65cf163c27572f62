"""The live ε of the attack page: the ladder of its answered attack under the triptych."""

from __future__ import annotations

import streamlit as st

from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.ladder_job import ask_for_ladder, ladder_of
from explorer.ui.shared.ladder_rungs import send_rungs
from explorer.ui.shared.live_epsilon import LiveLadder, live_epsilon

KEY = "live epsilon"


def live_epsilon_of(response: AttackResponse, place: str) -> None:
    """Draw the slider that moves the triptych ``place``, which shows ``response``."""
    norm = response.report.recipe.norm

    def ask(epsilon: float) -> None:
        st.session_state[norm] = epsilon  # the key of the slider among the controls

    state = ladder_of(response.request, place)
    live_epsilon([LiveLadder(place, response.report, state)], KEY, ask)
    if state.encoded is None and state.job is None:
        st.button("Compute them", on_click=ask_for_ladder, args=(state, place), key="ask ladder")
    send_rungs(state, place)
