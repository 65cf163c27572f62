"""Whether the app serves people at this machine alone, or everybody who reaches it."""

from __future__ import annotations

import ipaddress

import streamlit as st

from explorer.settings import AUTO, MODE, NETWORK, PUBLIC


def is_public() -> bool:
    """Whether visitors must not see or change this machine's files.

    The operator says so, with ``EXPLORER_MODE`` or with the address that the server listens on,
    and never a request: behind a proxy every visitor seems to be at this machine.
    """
    mode = MODE.value
    if mode != AUTO:
        return mode == PUBLIC
    return not _is_loopback(st.get_option("server.address"))


def may_fetch() -> bool:
    """Whether visitors may make this machine download published weights and data."""
    return NETWORK.value or not is_public()


def _is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    try:
        return address is not None and ipaddress.ip_address(address).is_loopback
    except ValueError:  # the name of a machine, or of a socket
        return False
