"""What the server does as it starts: only where there is a screen it opens the browser."""

from __future__ import annotations

import signal

import pytest
import streamlit as st
from streamlit import cli_util

from explorer.ui.server import end_with_success, serving
from tests.sessions.client import run
from tests.ui.app import HOME


@pytest.mark.parametrize(
    ("headless", "opened"), [(True, []), (False, ["http://localhost:8600/lab"])]
)
def test_the_browser_opens_where_there_is_a_screen(
    monkeypatch: pytest.MonkeyPatch, headless: bool, opened: list[str]
) -> None:
    options = {
        "server.headless": headless,
        "server.address": "127.0.0.1",
        "server.port": 8600,
        "server.baseUrlPath": "lab",
    }
    real = st.config.get_option
    monkeypatch.setattr(st.config, "get_option", lambda name: options.get(name, real(name)))
    monkeypatch.setattr(st, "get_option", st.config.get_option)
    addresses: list[str] = []
    monkeypatch.setattr(cli_util, "open_browser", addresses.append)

    async def start() -> None:
        async with serving(st.App(HOME)):
            pass

    run(start())
    assert addresses == opened


def test_signals_stay_as_they_are_without_a_server() -> None:
    before = signal.getsignal(signal.SIGTERM)
    end_with_success()
    assert signal.getsignal(signal.SIGTERM) is before
