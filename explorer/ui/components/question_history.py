"""One step back in the browser's history for each question, however many widgets it took.

Streamlit replaces the address of the present entry when a visitor moves a widget, and adds an entry
for each widget that a script sets. A step back in the browser restores all widgets whose values are
in the address, so all that is left to do is to have an entry for each question that was answered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable

import streamlit as st

from explorer.ui.components.component import component
from explorer.ui.shared.stored_value import remove_stored

_RUNS = "runs with a history"  # in the session's state

_draw = component(__file__)


def track_history(keys: Iterable[str], question: Hashable | None) -> None:
    """Let the browser have an entry for the ``question`` that the page shows the answer to.

    ``question`` is None while the page shows the answer to another one; it differs where the answer
    does. ``keys`` are those that the page has in its address. Keys of another page are removed from
    it: Streamlit takes them along to a page that has none. Call it once in each run of the page.
    """
    keys = (*keys,)
    remove_stored(keys)
    st.session_state[_RUNS] = st.session_state.get(_RUNS, 0) + 1
    digest = None if question is None else hashlib.sha256(repr(question).encode()).hexdigest()
    # The number makes the browser run the script each time: the address may have another view.
    data = {"keys": keys, "question": digest, "run": st.session_state[_RUNS]}
    _draw(key="question history", data=data)
