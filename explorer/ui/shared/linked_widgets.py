"""Widgets for numbers that are in the page's address, which a link may only set within limits."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import streamlit as st

from explorer.ui.shared.link_words import allow_range

BIND: Final = "query-params"
N = TypeVar("N", int, float)


def linked_slider(
    label: str, low: N, high: N, first: N, step: N | None = None, *, key: str, **options: Any
) -> N:
    """The number from ``low`` to ``high`` on a slider, at the start ``first``.

    ``options`` are others of Streamlit's slider.
    """
    allow_range(key, low, high)
    return st.slider(label, low, high, first, step, key=key, bind=BIND, **options)


def linked_number(label: str, low: N, high: N, first: N, *, key: str, **options: Any) -> N:
    """The number from ``low`` to ``high`` in a field, at the start ``first``.

    ``options`` are others of Streamlit's number input.
    """
    allow_range(key, low, high)
    value: N = st.number_input(label, low, high, first, key=key, bind=BIND, **options)
    return value
