"""A Plotly chart of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def draw_plot(chart: Figure, key: str, alt: str) -> None:
    """Draw the chart without Plotly's tools.

    They would cover its legend where there is no pointer to hover, and their camera takes another
    picture than the files that a page exports. ``alt`` says what it shows to those who cannot see.
    """
    st.plotly_chart(chart, key=key, config={"displayModeBar": False}, alt=alt)
