"""A Plotly chart of a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from explorer.ui.shared.page_foot import is_large

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_LARGER = 1.3  # times the height with large type, whose letters are 1.1 to 1.8 times as large


def draw_plot(chart: Figure, key: str, alt: str) -> None:
    """Draw the chart without Plotly's tools.

    They would cover its legend where there is no pointer to hover, and their camera takes another
    picture than the files that a page exports. ``alt`` says what it shows to those who cannot see.
    Plotly measures letters once: with another size of type the chart is drawn anew.
    """
    if is_large():
        key = f"{key} large"
        if chart.layout.height:
            chart.update_layout(height=round(_LARGER * chart.layout.height))
    st.plotly_chart(chart, key=key, config={"displayModeBar": False}, alt=alt)
