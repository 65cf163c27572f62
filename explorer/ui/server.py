"""What the server does as it starts and stops, beside answering."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import streamlit as st
import uvicorn
from streamlit import cli_util
from streamlit.web.server import server_util


@asynccontextmanager
async def serving(_app: st.App) -> AsyncIterator[None]:
    """Open the browser when the server has started; the ``lifespan`` of Streamlit's app."""
    if not st.get_option("server.headless"):
        address = st.get_option("browser.serverAddress") or st.get_option("server.address")
        cli_util.open_browser(server_util.get_url(server_util.get_display_address(address)))
    yield


def end_with_success() -> None:
    """Let a server that is asked to end by a signal end with status 0 once it has closed all.

    uvicorn would raise the signal again afterwards, which kills the process or prints a stack.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    if not isinstance(server, uvicorn.Server):
        return

    def leave(_number: int, _frame: FrameType | None) -> None:
        server.force_exit = server.should_exit  # asked twice: without waiting for the visitors
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)
