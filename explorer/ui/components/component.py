"""Components that are drawn in the browser: their markup, style and script lie beside this file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent / "browser"


def component(name: str) -> Callable[..., None]:
    """The component made of ``browser/NAME.html``, ``.css`` and ``.js`` (with ``dom.js`` before it): trusted code of ours. People's
    text goes in as data.

    Call it with ``key``, ``data`` (what JSON can say) and call-backs. The data travel in a list of one: Streamlit would search
    a bare dictionary for data frames, and import pandas for that, which the first picture would have to wait for.
    """
    html, css, dom, js = (
        (FOLDER / file).read_text(encoding="utf-8") for file in (f"{name}.html", f"{name}.css", "dom.js", f"{name}.js")
    )
    mount = st.components.v2.component(f"explorer.{name}", html=html, css=css, js=dom + js)

    def draw(*, key: str, data: dict[str, Any], **call_backs: Any) -> None:
        mount(key=key, data=[data], **call_backs)

    return draw
