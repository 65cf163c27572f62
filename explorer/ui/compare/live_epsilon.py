"""The live ε of the comparison page: one slider that moves the rows of all classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from explorer.classifiers import Entry
from explorer.experiments.compare import MAX_CLASSIFIERS
from explorer.ui.compare.controls import PAGE
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.ladder_job import ladder_of
from explorer.ui.shared.ladder_rungs import send_rungs
from explorer.ui.shared.live_epsilon import LiveLadder, live_epsilon

KEY = f"{PAGE}live epsilon"
DASHES = ("", "7 3", "2 3", "9 3 2 3")  # of the curves, for people who see no colours


def row_key(slot: int) -> str:
    """The key of the row in a slot of the page, by which the slider finds it."""
    return f"{PAGE}row of {slot}"


def live_epsilon_of(
    responses: Mapping[int, AttackResponse], known: Mapping[str, Entry], colours: Sequence[str]
) -> None:
    """Draw the slider for the rows with these responses, by slot: attacks of one norm and ε.

    ``colours`` are those of the classifiers of all slots.
    """
    norm = next(iter(responses.values())).report.recipe.norm

    def ask(epsilon: float) -> None:
        st.session_state[f"{PAGE}{norm}"] = epsilon  # the key of the slider among the controls

    ladders: list[LiveLadder] = []
    for slot, response in responses.items():
        place, entry = row_key(slot), known[response.report.recipe.model]
        state = ladder_of(response.request, place)
        style = colours[slot], DASHES[slot]
        ladders.append(LiveLadder(place, response.report, state, entry.title, *style))
    live_epsilon(ladders, KEY, ask, bars=False)
    for ladder in ladders:
        send_rungs(ladder.state, ladder.place)


def forget_ladders(device: str, first: int) -> None:
    """Cancel the ladders of the slots from ``first`` on, which the page no longer has."""
    for slot in range(first, MAX_CLASSIFIERS):
        own = f"ladder {row_key(slot)}"
        session_jobs(device).cancel(own)
        st.session_state.pop(own, None)
