"""The page's address: values that its widgets could not read."""

from __future__ import annotations

import math
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
