"""A row of words, each of which opens its explanation: a sentence, a formula and a picture."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from explorer.ui.shared.glossary import GLOSSARY
from explorer.ui.shared.glossary_pictures import WIDTH


def glossary_words(terms: Iterable[str], key: str) -> None:
    """Draw a button for each of the ``terms``, keys of the glossary. ``key`` is the row's own."""
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", key=f"glossary-{key}"
    ):
        st.caption("Words:", width="content")
        for name in terms:
            term = GLOSSARY[name]
            popover = st.popover(term.name, type="tertiary", key=f"glossary {key} {name}")
            with popover, st.container(width=WIDTH + 80):
                st.markdown(f"**{term.name}**: {term.text}")
                st.latex(term.formula)
                st.image(term.picture(), width=WIDTH, alt=term.alt)
