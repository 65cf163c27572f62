"""Components that are drawn in the browser: their markup, style and script lie beside this file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

FOLDER = Path(__file__).parent / "browser"


def component(name: str) -> Callable[..., Any]:
    """The component made of ``browser/NAME.html``, ``.css`` and ``.js``: trusted code of ours. People's text goes in as data."""
    html, css, js = ((FOLDER / f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    renderer: Callable[..., Any] = st.components.v2.component(f"explorer.{name}", html=html, css=css, js=js)
    return renderer
