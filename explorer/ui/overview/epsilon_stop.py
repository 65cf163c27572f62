"""Stop 3: ε under the finger, after a guess at the smallest one that changes the answer."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.ui.components.markdown import plain
from explorer.ui.overview.example import small_example
from explorer.ui.overview.landing_example import control_values
from explorer.ui.overview.links import to_attack
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.attack_widgets import MAX_LINF
from explorer.ui.shared.ladder_job import LadderState, ladder_of
from explorer.ui.shared.ladder_rungs import send_rungs
from explorer.ui.shared.live_epsilon import LiveLadder, live_epsilon
from explorer.ui.shared.stored_value import stored_number
from explorer.ui.shared.triptych import triptych

PLACE = "tour epsilon"
LEVELS = "tour_levels"  # in the session's state and the address: ε in levels of 255
FIRST_LEVELS = 0.5
_LIMITS = (1, 4)  # levels between the choices
CHOICES = ("at most 1/255", "1/255 to 4/255", "more than 4/255")


def show(places: Places) -> None:
    """Draw the stop."""
    example = small_example()
    levels = stored_number(LEVELS, 0, MAX_LINF, FIRST_LEVELS)
    request = example.attack(example.standard, levels)
    with places.picture:
        with places.status:
            response = run_attack(request, PLACE)
        if response is not None:
            with st.container(key="tour-plain"):
                triptych(response, PLACE)
    if response is None:
        return
    state = ladder_of(response.request, PLACE)
    label = plain(response.report.names[response.report.label])
    chosen = ask(
        "epsilon",
        f"How large must ε be until the classifier no longer says “{label}”?",
        CHOICES,
    )
    right, text = _answer(state, label)
    answer(chosen, right, text)
    if chosen is not None:
        ladder = LiveLadder(PLACE, response.report, state)
        live_epsilon([ladder], "tour live epsilon", _choose)
    send_rungs(state, PLACE)
    _full_page(response)


def _choose(levels: float) -> None:
    st.session_state[LEVELS] = levels


def _answer(state: LadderState, label: str) -> tuple[str | None, str]:
    """The right choice, and the answer in words; None while it is not known yet."""
    if state.encoded is None:
        return None, (
            "Attacks with about twenty values of ε are being computed. Meanwhile, move the slider."
        )
    smallest = state.encoded.ladder.smallest
    if smallest is None:
        return CHOICES[-1], f"None of the values tried was enough: it still says “{label}”."
    levels = 255 * smallest.epsilon
    right = CHOICES[sum(levels > limit for limit in _LIMITS)]
    epsilon = format_epsilon(smallest.epsilon, "linf")
    name = plain(smallest.image.after.name)
    return right, (
        f"The smallest ε at which this attack succeeds is {epsilon}: the classifier then says "
        f"“{name}”. Move the slider and watch the attacked picture."
    )


def _full_page(response: AttackResponse) -> None:
    to_attack("Open this on the attack page", control_values(response.request))
