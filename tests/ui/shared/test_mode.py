"""Local or public: what the operator says decides, and in doubt the app is public."""

from __future__ import annotations

import pytest
import streamlit as st

from explorer.ui.shared.mode import is_public, may_fetch


@pytest.fixture(autouse=True)
def restored_address():
    before = st.get_option("server.address")
    yield
    st.config.set_option("server.address", before)


@pytest.mark.parametrize(
    ("mode", "address", "public"),
    [
        ("", "127.0.0.1", False),
        ("", "127.8.9.10", False),
        ("", "::1", False),
        ("", "localhost", False),
        ("", "0.0.0.0", True),
        ("", "192.168.1.5", True),
        ("", "lecture.example.org", True),
        ("", None, True),  # Streamlit then listens on every address
        ("public", "127.0.0.1", True),  # a proxy on the same machine
        ("local", "0.0.0.0", False),  # a container whose port only its owner reaches
        ("auto", "127.0.0.1", False),
    ],
)
def test_the_operator_decides(mode, address, public, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODE", mode)
    st.config.set_option("server.address", address)
    assert is_public() is public


@pytest.mark.parametrize(
    ("mode", "network", "allowed"),
    [("local", "", True), ("local", "0", True), ("public", "", False), ("public", "1", True)],
)
def test_visitors_of_a_public_server_download_if_the_operator_allows_it(
    mode, network, allowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", mode)
    monkeypatch.setenv("EXPLORER_NETWORK", network)
    assert may_fetch() is allowed
