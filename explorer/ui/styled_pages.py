"""The style and the script of all pages, in the HTML that the server sends first.

Streamlit loads what draws ``st.html`` after the page, so that a style that a script puts on its
page comes when the page is on the screen already, and everything moves.
"""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COMPONENTS = Path(__file__).with_name("components")
_STYLES = (_COMPONENTS / "page_style.css", _COMPONENTS / "places.css")
_SCRIPT = _COMPONENTS / "page.js"
# Of a browser's question. An answer that is compressed, or that says "as before", has no text that
# the style could be put into.
_NOT_PASSED_ON = ("accept-encoding", "if-none-match", "if-modified-since")
# After Streamlit's own styles, which are in the head: of two equal selectors the later one wins.
_END = b"</body>"


class StyledPages:
    """Streamlit's app with the style and the script of all pages in each HTML page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        styles = "".join(each.read_text(encoding="utf-8") for each in _STYLES)
        script = _SCRIPT.read_text(encoding="utf-8")
        self.end = f"<style>\n{styles}</style>\n<script>\n{script}</script>\n".encode() + _END

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _opens_page(scope):
            await self.app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0].decode() not in _NOT_PASSED_ON]
        start: Message | None = None
        body = b""

        async def send_styled(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_html(message):
                start = message  # its length is only known at the end
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body", False):
                    styled = body.replace(_END, self.end, 1)
                    changed = MutableHeaders(raw=start["headers"])
                    changed["content-length"] = str(len(styled))
                    del changed["etag"], changed["last-modified"]  # they are of another text
                    await send(start)
                    await send({"type": "http.response.body", "body": styled})

        await self.app({**scope, "headers": headers}, receive, send_styled)


def _opens_page(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "GET":
        return False
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_html(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    return message["status"] == 200 and headers.get("content-type", "").startswith("text/html")
