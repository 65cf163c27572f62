"""Values that belong to a visitor: kept for the session, and gone with it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

T = TypeVar("T")


def once(key: str, version: Hashable, compute: Callable[[], T]) -> T:
    """The result of ``compute()``, which is called again only for another ``version``.

    The session's state has the last result under ``key``. A cache of the process would keep the
    picture that it was computed from when the visitor has left.
    """
    known: tuple[Hashable, T] | None = st.session_state.get(key)
    if known is None or known[0] != version:
        known = st.session_state[key] = version, compute()
    return known[1]
