"""Values of a page in its address that Streamlit does not write there, as those of widgets that are
bound to it: a seed that a button draws.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TypeVar

import streamlit as st

from explorer.ui.shared.address import is_step_in_history
from explorer.ui.shared.link_words import allow_range

T = TypeVar("T")
Whole = TypeVar("Whole", int, int | None)
WRITTEN = "stored in the address"  # in the session's state: the keys, of all pages


def stored_value(key: str, read: Callable[[str], T | None], first: T) -> T:
    """The session's value under ``key``: at first, and after a step in the history, the address's.

    ``read`` makes a value of a text, or None if that is not possible. ``first`` stands for an
    address that has none. A session's state may have it replaced at any time.
    """
    if key not in st.session_state or is_step_in_history():
        text = next(iter(st.query_params.get_all(key)), None)  # the first, as Streamlit's widgets
        asked = None if text is None else read(text)
        st.session_state[key] = first if asked is None else asked
    value: T = st.session_state[key]
    write_value(key, None if value == first else str(value))
    return value


def stored_number(key: str, low: float, high: float, first: float) -> float:
    """A :func:`stored_value` from ``low`` to ``high``; the page names any other in the address."""
    allow_range(key, low, high)
    return stored_value(key, number_within(low, high), first)


def stored_whole_number(key: str, low: int, high: int, first: Whole) -> Whole:
    """The same of a whole number; ``first`` may be None."""
    allow_range(key, low, high)
    return stored_value(key, whole_number(low, high), first)


def write_value(key: str, texts: str | Sequence[str] | None) -> None:
    """Let the address have these texts, None for none, under the ``key`` of no bound widget."""
    state = st.session_state
    state[WRITTEN] = {*state.get(WRITTEN, ()), key}
    wanted = [texts] if isinstance(texts, str) else [*(texts or ())]
    if st.query_params.get_all(key) == wanted:
        return
    if wanted:
        st.query_params[key] = wanted
    else:
        del st.query_params[key]


def remove_stored(keys: Container[str]) -> None:
    """Remove from the address the stored values whose keys are not among ``keys``.

    Streamlit removes only those of widgets when they leave the page.
    """
    for key in st.session_state.get(WRITTEN, ()):
        if key not in keys:
            st.query_params.pop(key, None)


def number_within(low: float, high: float) -> Callable[[str], float | None]:
    """A function for :func:`stored_value` that reads numbers from ``low`` to ``high``."""

    def read(text: str) -> float | None:
        try:
            value = float(text)
        except ValueError:
            return None
        return value if low <= value <= high else None

    return read


def whole_number(low: int, high: int) -> Callable[[str], int | None]:
    """A function for :func:`stored_value` that reads whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int | None:
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(high))
        return int(text) if is_number and low <= int(text) <= high else None

    return read
