"""The question of a stop, which is answered before the answer shows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.ui.components.markdown import plain, unbroken
from explorer.ui.shared.address import is_step_in_history
from explorer.ui.shared.stored_value import stored_whole_number, write_value

SHOW = "Show me"  # for people who do not want to guess


def ask(stop: str, question: str, choices: Sequence[str]) -> str | None:
    """What the visitor answers, or None until then. ``question`` is Markdown, a choice any text.

    The answer is kept for the session: who comes back to the stop finds what it showed. The address
    has its number, from 1.
    """
    key, number_key, options = f"tour_answer_{stop}", f"tour_guess_{stop}", [*choices, SHOW]
    number = stored_whole_number(number_key, 1, len(options), None)
    if key not in st.session_state or is_step_in_history():
        st.session_state[key] = options[number - 1] if number else None
    with st.container(key="tour-question"):
        chosen = st.segmented_control(
            question, options, required=True, key=key, format_func=plain, persist_state="session"
        )
    number = None if chosen is None else 1 + options.index(str(chosen))
    st.session_state[number_key] = number
    write_value(number_key, None if number is None else str(number))
    return None if chosen is None else str(chosen)


def answer(chosen: str | None, right: str | None, text: str) -> None:
    """Say whether ``chosen`` was ``right``, and the answer, which is Markdown.

    Its place is kept while nothing is chosen. ``right`` is None while it is not known yet.
    """
    with st.container(key="tour-answer"):
        if chosen is None:
            st.caption("Choose one, and the answer appears here.")
            return
        is_guess = right is not None and chosen != SHOW
        verdict = "✓ **Right.** " if chosen == right else "✗ **No.** "
        st.markdown(unbroken(verdict + text if is_guess else text))
