"""How long a question will take, said before it starts."""

from __future__ import annotations

import streamlit as st

from explorer.settings import SECONDS
from explorer.ui.jobs.budget import duration
from explorer.ui.shared.attack_job import seconds_needed
from explorer.ui.shared.attack_request import AttackRequest

_WORTH_SAYING = 2.0  # seconds
_LONG = 100  # steps of all restarts, where nothing is known of their time


def time_needed(request: AttackRequest) -> None:
    """A line below the controls if the attack takes long, or may do so."""
    seconds, recipe = seconds_needed(request), request.recipe
    limit = f"A question may take {duration(SECONDS.value)} of this machine"
    if seconds >= _WORTH_SAYING:
        st.caption(f"{limit}; this one takes about {duration(seconds)}.")
    elif not seconds and recipe.steps * recipe.restarts > _LONG:
        st.caption(f"{limit}; how long this one takes is known after its first steps.")
