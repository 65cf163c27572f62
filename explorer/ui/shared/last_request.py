"""What a page asks: its controls or, after a mistake, the last question without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.components.errors import report_errors

T = TypeVar("T")


def chosen_or_last(
    key: str, choose: Callable[[], T], notice: DeltaGenerator
) -> tuple[T | None, bool]:
    """What ``choose`` returns, and True; after an error the session's last one, or None, and False.

    The error is said in ``notice``, so that it does not take the last result with it. ``key`` is
    where the session's state has the last one.
    """
    with report_errors(notice), st.sidebar:
        request = choose()
        st.session_state[key] = request
        return request, True
    last: T | None = st.session_state.get(key)
    if last is not None:
        notice.caption("Below is the last result.")
    return last, False
