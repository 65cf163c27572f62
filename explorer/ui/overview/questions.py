"""The question of a stop, which is answered before the answer shows."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer.ui.components.markdown import plain

SHOW = "Show me"  # for people who do not want to guess


def ask(stop: str, question: str, choices: Sequence[str]) -> str | None:
    """What the visitor answers, or None until then. ``question`` is Markdown, a choice any text.

    The answer is kept for the session: who comes back to the stop finds what it showed.
    """
    with st.container(key="tour-question"):
        chosen = st.segmented_control(
            question,
            [*choices, SHOW],
            key=f"tour_answer_{stop}",
            format_func=plain,
            persist_state="session",
        )
    return None if chosen is None else str(chosen)


def answer(chosen: str | None, right: str | None, text: str) -> None:
    """Say whether ``chosen`` was ``right``, and the answer, which is Markdown.

    Its place is kept while nothing is chosen. ``right`` is None while it is not known yet.
    """
    with st.container(key="tour-answer"):
        if chosen is None:
            st.caption("The answer shows when you have chosen one.")
            return
        is_guess = right is not None and chosen != SHOW
        verdict = "✓ **Right.** " if chosen == right else "✗ **No.** "
        st.markdown(verdict + text if is_guess else text)
