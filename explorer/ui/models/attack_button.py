"""The button that leads from a classifier to the attack on it."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from explorer.files import PAGES


def attack_button(
    name: str,
    key: str,
    *,
    type: Literal["primary", "secondary"] = "secondary",
    width: Literal["stretch", "content"] = "stretch",
) -> None:
    """Draw the button. The address of the attack page then names the classifier."""
    if st.button("Attack this classifier", key=key, type=type, width=width):
        st.switch_page(PAGES / "attack.py", query_params={"model": name})
