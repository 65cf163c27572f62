"""The page's address: values that its widgets could not read."""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from contextlib import suppress

import streamlit as st


def drop_infinite_values() -> None:
    """Remove infinite numbers from the address, as in ``?seed=inf``, and run the page again.

    Streamlit ignores most values that a widget can't have, but fails to make a whole number of
    this one. Call it before a page's widgets.
    """
    infinite = [name for name, value in st.query_params.to_dict().items() if is_infinite(value)]
    for name in infinite:
        del st.query_params[name]
    if infinite:
        st.rerun()  # widgets read the address with which a run began


def is_infinite(text: str) -> bool:
    """Whether ``text`` is an infinite number."""
    with suppress(ValueError):
        return math.isinf(float(text))
    return False


def remember_asked(page: str, keys: Iterable[str]) -> None:
    """Remember what the address that opened ``page`` asks of its widgets ``keys``.

    Streamlit drops values that a widget can't have without a word. Call it before the widgets.
    """
    asked = {key: st.query_params[key] for key in keys if key in st.query_params}
    st.session_state.setdefault(_asked(page), asked)


def unusable_values(page: str) -> list[str]:
    """What the widgets did not take of the link, as ``steps=-1``, until the visitor changes one.

    Call it after the widgets.
    """
    state, shown = st.session_state, f"shown instead on {page}"
    asked: dict[str, str] = state.get(_asked(page), {})
    refused = {key: text for key, text in asked.items() if key in state}
    refused = {key: text for key, text in refused.items() if not _is_text_of(text, state[key])}
    now = {key: state[key] for key in refused}
    if state.setdefault(shown, now) != now or not refused:
        state[_asked(page)] = {}
        return []
    return [f"{key}={text}" for key, text in refused.items()]


def _is_text_of(text: str, value: object) -> bool:
    """Whether ``text`` in an address stands for this value of a widget."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return text.casefold() == str("" if value is None else value).casefold()
    with suppress(ValueError):
        return math.isclose(float(text), value)
    return False


def _asked(page: str) -> str:
    return f"link that opened {page}"


def remember_unknown(key: str, known: Container[str]) -> None:
    """Remember what the address asks of the widget ``key`` if it can't have that value.

    Streamlit gives the widget its default instead and takes the value from the address. Call it
    before the widget.
    """
    wanted = st.query_params.get(key)
    if wanted is not None and wanted not in known:
        st.session_state[_unknown(key)] = (wanted, None)


def unknown_value(key: str, chosen: str) -> str | None:
    """What the address asked of the widget ``key``, as long as its value is another by default.

    ``chosen`` is the value of the widget; once the visitor has changed it, there is nothing to say.
    """
    wanted, instead = st.session_state.get(_unknown(key), (None, None))
    if wanted is None:
        return None
    if instead not in (None, chosen):
        del st.session_state[_unknown(key)]
        return None
    st.session_state[_unknown(key)] = (wanted, chosen)
    return str(wanted)


def _unknown(key: str) -> str:
    return f"unknown {key}"  # in the session's state
