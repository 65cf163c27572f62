"""What the app says when its operator has given it a setting that can't be used."""

from __future__ import annotations

import logging

import streamlit as st

from explorer.settings import problems
from explorer.ui.components.markdown import sentence

_LOGGER = logging.getLogger(__name__)


def stop_on_wrong_settings() -> None:
    """Show the first setting that can't be used instead of any page, and log it once."""
    if wrong := problems():
        _log(wrong[0])
        st.error(f"This explorer was started with a wrong setting. {sentence(wrong[0])}")
        st.stop()


@st.cache_resource(show_spinner=False)
def _log(problem: str) -> None:
    _LOGGER.error("the app shows nothing but this: %s", problem)
