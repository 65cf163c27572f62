"""The HTML that a browser opens has the style of all pages; everything else stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from explorer.ui import styled_pages
from explorer.ui.styled_pages import StyledPages
from tests.sessions.client import run

PAGE = b"<html><head></head><body><div></div></body></html>"
BROWSER = {"accept": "text/html,*/*", "accept-encoding": "gzip", "if-none-match": '"old"'}


class Answered:
    """What comes of a request to an app that answers with ``parts``."""

    def __init__(self, parts: list[bytes], kind: str, headers: dict[str, str], method: str) -> None:
        self.asked = Headers({})
        self.messages: list[Message] = []
        length = str(sum(map(len, parts)))
        answer = {"content-type": kind, "content-length": length, "etag": '"streamlit"'}

        async def app(scope: Scope, _receive: Receive, send: Send) -> None:
            self.asked = Headers(scope=scope)
            raw = Headers(answer).raw
            await send({"type": "http.response.start", "status": 200, "headers": raw})
            for index, part in enumerate(parts):
                more = index < len(parts) - 1
                await send({"type": "http.response.body", "body": part, "more_body": more})

        async def receive() -> Message:
            return {"type": "http.request"}

        async def send(message: Message) -> None:
            self.messages.append(message)

        scope = {"type": "http", "method": method, "path": "/", "headers": Headers(headers).raw}
        run(StyledPages(app)(scope, receive, send))
        self.headers = Headers(raw=self.messages[0]["headers"])
        self.body = b"".join(each["body"] for each in self.messages[1:])


@pytest.mark.parametrize("parts", [[PAGE], [PAGE[:20], PAGE[20:]]])
def test_a_page_has_the_styles_and_the_script_at_its_end(parts: list[bytes]) -> None:
    answered = Answered(parts, "text/html; charset=utf-8", BROWSER, "GET")
    before, style, after = answered.body.partition(b"<style>")
    assert before == PAGE.removesuffix(b"</body></html>")
    for file in ("page_style.css", "places.css", "page.js"):
        text = Path(styled_pages.__file__).with_name("components") / file
        assert text.read_bytes() in style + after
    assert answered.body.endswith(b"</script>\n</body></html>")
    assert answered.headers["content-length"] == str(len(answered.body))
    assert "etag" not in answered.headers  # a later version may have other styles
    assert answered.asked == Headers({"accept": BROWSER["accept"]})  # neither gzip nor "as before"


@pytest.mark.parametrize(
    ("kind", "accept", "method"),
    [
        ("text/html", "*/*", "GET"),  # not asked for by a browser that opens a page
        ("text/html", "text/html", "HEAD"),
        ("image/png", "text/html", "GET"),
    ],
)
def test_other_answers_stay_as_they_are(kind: str, accept: str, method: str) -> None:
    answered = Answered([PAGE], kind, {"accept": accept}, method)
    assert answered.body == PAGE
    assert answered.headers["etag"] == '"streamlit"'


def test_streamlits_own_page_has_the_end_that_the_styles_are_put_before() -> None:
    page = Path(st.__file__).parent / "static" / "index.html"
    assert page.read_bytes().count(b"</body>") == 1
