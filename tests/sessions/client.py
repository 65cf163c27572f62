"""A browser's session without the browser: Streamlit's protocol, spoken over its WebSocket.

Twenty of these cost less than one Chromium, so a test can open many sessions at once. Messages are
protobufs: ``BackMsg`` to the server, ``ForwardMsg`` from it.
"""

from __future__ import annotations

import asyncio
import urllib.request
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode

from google.protobuf.message import Message
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.sessions.screen import Screen

T = TypeVar("T")
TIMEOUT = 60.0  # seconds


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The coroutine's result. A thread has the event loop: Playwright keeps one in this thread."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, coroutine).result()


def put_file(address: str, path: str, name: str, data: bytes) -> None:
    """Send a file as a browser does, with the server's cookie against forged requests."""
    with urllib.request.urlopen(f"{address}/_stcore/health") as response:
        cookie = response.headers["Set-Cookie"].partition(";")[0]
    head = f'--file\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    headers = {
        "Content-Type": "multipart/form-data; boundary=file",
        "Cookie": cookie,
        "X-Xsrftoken": cookie.partition("=")[2],
    }
    body = head.encode() + data + b"\r\n--file--\r\n"
    urllib.request.urlopen(urllib.request.Request(address + path, body, headers, method="PUT"))


def text_of(value: object) -> str:
    """A widget's value as the browser writes it into the address."""
    return f"{value:g}" if isinstance(value, float) else str(value)


class Session(Screen):
    """One visitor of the app at ``address`` (``http://host:port``); an async context manager."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._url = address.replace("http", "ws", 1) + "/_stcore/stream"
        super().__init__()
        self.query_string = ""
        self._page_name, self._page_hash = "", ""
        self._page_hashes: dict[str, str] = {}  # by the page's name in the address
        self._widgets: dict[str, WidgetState] = {}
        self._large: dict[str, ForwardMsg] = {}  # sent once; afterwards the server sends their hash
        self._timers: dict[str, asyncio.Task[None]] = {}  # of fragments that have a run_every
        self._run, self._running = "", False
        self._file_urls: Message | None = None
        self.runs = 0  # of the page's script and of its fragments
        self._news = asyncio.Event()

    async def __aenter__(self) -> Session:
        protocols: Any = ["streamlit"]
        self._socket = await connect(
            self._url, subprotocols=protocols, max_size=None, open_timeout=TIMEOUT
        )
        self._receiver = asyncio.create_task(self._receive())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_timers()
        self._receiver.cancel()
        await self._socket.close()

    async def open(self, page: str = "", query: str = "", *, wait: bool = True) -> None:
        """Open a page (``""``, ``"attack"``, …) with a query string and wait until it is done.

        A page is done when its jobs in the background are, too. Without ``wait`` it is only asked
        for.
        """
        self._page_name, self._page_hash = page, self._page_hashes.get(page, "")
        self.query_string = query
        self._widgets.clear()
        await (self.rerun() if wait else self._request())

    async def set(self, key: str, *, wait: bool = True, **value: Any) -> None:
        """Give a widget a value and wait for the rerun: ``set("linf", double_array_value=[4.0])``.

        The keyword is a field of Streamlit's ``WidgetState``; a list becomes the field's ``data``.
        As in a browser, the query string follows a widget that is bound to it. Without ``wait`` the
        rerun is only requested.
        """
        ((field, content),) = value.items()
        widget: Any = self.widget(key)
        state = WidgetState(id=widget.id)
        if isinstance(content, list):
            getattr(state, field).data.extend(content)
        else:
            setattr(state, field, content)
        self._widgets[state.id] = state
        if parameter := getattr(widget, "query_param_key", ""):
            texts = [
                text_of(item) for item in (content if isinstance(content, list) else [content])
            ]
            self.query_string = urlencode(
                parse_qs(self.query_string) | {parameter: texts}, doseq=True
            )
        if wait:
            await self.rerun()
        else:
            await self._request()
        if field.endswith("trigger_value"):  # a click counts once
            del self._widgets[state.id]

    async def upload(self, key: str, name: str, data: bytes) -> None:
        """Choose a file in a file uploader and wait for the rerun."""
        self._file_urls = None
        request = BackMsg()
        request.file_urls_request.request_id = name
        request.file_urls_request.file_names.append(name)
        await self._socket.send(request.SerializeToString())
        assert await self.until(lambda: self._file_urls is not None, TIMEOUT)
        answer: Any = self._file_urls
        (urls,) = answer.file_urls
        await asyncio.to_thread(put_file, self._address, urls.upload_url, name, data)
        widget: Any = self.widget(key)
        state = WidgetState(id=widget.id)
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(data), file_id=urls.file_id, file_urls=urls
        )
        self._widgets[state.id] = state
        await self.rerun()

    async def rerun(self) -> None:
        """Run the page again and wait until no script and no progress display is running."""
        await self._request()
        async with asyncio.timeout(TIMEOUT):
            while self._running or self._timers:
                assert not self._receiver.done(), "the server closed the connection"
                self._news.clear()
                await self._news.wait()

    async def until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the page fulfils ``condition``, at most ``seconds``; whether it does."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    assert not self._receiver.done(), "the server closed the connection"
                    self._news.clear()
                    await self._news.wait()
        return condition()

    async def _request(self) -> None:
        self._stop_timers()
        self._running = True
        await self._send()

    async def _send(self, fragment: str = "") -> None:
        request = BackMsg()
        state = request.rerun_script
        state.query_string = self.query_string
        state.page_name, state.page_script_hash = self._page_name, self._page_hash
        state.widget_states.widgets.extend(self._widgets.values())
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        state.cached_message_hashes.extend(self._large)
        await self._socket.send(request.SerializeToString())

    async def _receive(self) -> None:
        try:
            async for data in self._socket:
                message = ForwardMsg.FromString(data)
                if message.WhichOneof("type") == "ref_hash":
                    whole = ForwardMsg()
                    whole.CopyFrom(self._large[message.ref_hash])
                    whole.metadata.CopyFrom(message.metadata)
                    message = whole
                if message.metadata.cacheable:
                    self._large[message.hash] = message
                self._handle(message)
                self._news.set()
        finally:
            self._news.set()

    def _handle(self, message: ForwardMsg) -> None:
        run = message.metadata.run
        match message.WhichOneof("type"):
            case "new_session":
                self._run = run.script_run_id
                self.runs += 1
                if not run.fragment_ids:
                    self._start(message.new_session.page_script_hash)
            case "navigation":
                self._page_hash = message.navigation.page_script_hash
                for page in message.navigation.app_pages:
                    name = "" if page.is_default else page.url_pathname
                    self._page_hashes[name] = page.page_script_hash
            case "file_urls_response":
                self._file_urls = message.file_urls_response
            case "page_info_changed":
                self.query_string = message.page_info_changed.query_string
            case "delta":
                self.draw(message, self._run)
            case "auto_rerun":
                self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
            case "stop_auto_rerun":
                self._stop_timers(*message.stop_auto_rerun.fragment_ids)
            case "session_event" if message.session_event.HasField("script_compilation_exception"):
                self.errors.append(message.session_event.script_compilation_exception.message)
            case "script_finished":
                self._finish(message.script_finished, run.script_run_id, set(run.fragment_ids))

    def _start(self, page_hash: str) -> None:
        self._running = True
        self._stop_timers()
        if page_hash != self._page_hash:
            self._page_hash = page_hash
            self.elements.clear()

    def _finish(self, status: int, run: str, fragments: set[str]) -> None:
        if status == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        self.remove_old(run, fragments)
        if not fragments:
            self._running = False

    def _start_timer(self, fragment: str, interval: float) -> None:
        async def run_every() -> None:
            with suppress(ConnectionClosed):
                while True:
                    await asyncio.sleep(interval)
                    await self._send(fragment)

        self._stop_timers(fragment)
        self._timers[fragment] = asyncio.create_task(run_every())

    def _stop_timers(self, *fragments: str) -> None:
        """Stop the timers of these fragments, or of all."""
        for fragment in fragments or tuple(self._timers):
            if fragment in self._timers:
                self._timers.pop(fragment).cancel()
