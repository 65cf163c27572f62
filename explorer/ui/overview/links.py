"""From a stop to the page that has all of it, in the same state."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from explorer.ui.overview.example import STEPS, Example
from explorer.ui.shared.address import open_page
from explorer.ui.shared.attack_controls import open_attack_page


def to_attack(label: str, values: Mapping[str, str]) -> None:
    """A button to the attack page with these values of its controls."""
    with st.container(horizontal=True, key="tour-ways"):
        if st.button(label, icon=":material/bolt:", key="to_attack"):
            open_attack_page(values)


def to_comparison(example: Example, levels: float) -> None:
    """A button to the comparison of the example's two classifiers with this ε."""
    values = {
        "models": [entry.name for entry in (example.standard, example.robust) if entry],
        "image": example.picture.title,
        "norm": "L∞",
        "linf": f"{levels:g}",
        "method": "PGD",
        "steps": str(STEPS),
        **dict.fromkeys(("target", "label", "restarts", "seed", "l2")),
    }
    with st.container(horizontal=True, key="tour-ways"):
        if st.button("Compare classifiers", icon=":material/balance:", key="to_compare"):
            address = {f"compare_{key}": value for key, value in values.items()}
            open_page("compare", address, {"compare_source": "gallery"})
