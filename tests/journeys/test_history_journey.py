"""Back and forward in the browser go by question, not by widget, through pages of their own."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.journeys.visitor import Visitor

ASKED = """([path, wanted]) => location.pathname === path
  && wanted.every(each => location.search.includes(each))"""


def address(visitor: Visitor) -> tuple[str, dict[str, str]]:
    parts = urlsplit(visitor.page.url)
    return parts.path, dict(parse_qsl(parts.query))


def test_back_and_forward_go_from_question_to_question(browser: Any, server: str) -> None:
    with Visitor(browser, server, width=1440) as visitor:
        page = visitor.open("attack?model=cifar10-standard&linf=8&steps=3").page
        assert page.get_by_role("link", name="Models").first.is_visible()  # the last of all pages
        entries = page.evaluate("history.length")
        first = visitor.names
        # Several widgets, one question.
        page.get_by_role("button", name="paper: L2 0.5").click()
        visitor.wait_for(ASKED, ["/attack", ["norm=L2"]])
        page.get_by_role("radio", name="ship 2").click()
        visitor.wait_for(ASKED, ["/attack", ["image=ship+2"]])
        ship = visitor.names
        assert ship[0] == "ship"
        assert page.evaluate("history.length") == entries + 2
        page.get_by_role("link", name="Data sets").first.click()
        page.wait_for_selector(".labels dd")
        visitor.wait_until_idle()
        assert address(visitor) == ("/datasets", {})
        assert visitor.text(".labels dd") == "cat"

        page.go_back()
        page.wait_for_selector("figcaption .name")
        visitor.wait_for(ASKED, ["/attack", ["image=ship+2", "norm=L2"]])
        assert visitor.names == ship
        page.go_back()
        visitor.wait_for(ASKED, ["/attack", ["norm=L2"]])
        assert "image" not in address(visitor)[1]
        page.go_back()
        visitor.wait_for(ASKED, ["/attack", ["linf=8", "steps=3"]])
        assert visitor.names == first
        page.go_forward()
        page.go_forward()
        visitor.wait_for(ASKED, ["/attack", ["image=ship+2", "norm=L2"]])
        assert visitor.names == ship
