"""Whether the app serves people at this machine alone, or everybody who reaches it."""

from __future__ import annotations

import streamlit as st

from explorer.settings import AUTO, MODE, NETWORK, PUBLIC, is_loopback


def is_public() -> bool:
    """Whether visitors must not see or change this machine's files.

    The operator says so, with ``EXPLORER_MODE`` or with the address that the server listens on,
    and never a request: behind a proxy every visitor seems to be at this machine.
    """
    mode = MODE.value
    if mode != AUTO:
        return mode == PUBLIC
    return not is_loopback(st.get_option("server.address"))


def may_fetch() -> bool:
    """Whether visitors may make this machine download published weights and data."""
    return NETWORK.value or not is_public()
