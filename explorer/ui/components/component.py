"""Components that the browser draws; their markup, style and script lie beside the module."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_UNBROKEN = re.compile(r" (?=%|×(?!\s*\d))")
_DOM = Path(__file__).with_name("dom.js")


def component(module_file: str, *parts: str) -> Callable[..., None]:
    """The component whose ``.html``, ``.css`` and ``.js`` lie beside ``module_file``, of its name.

    ``dom.js`` is put before its script, and so are the scripts of the ``parts``, which lie in this
    folder; their styles come after its own. All of that is our own trusted code; text that people
    wrote is passed as data.

    Call the result with ``key``, ``data`` (what JSON can hold) and callbacks. The data are sent as
    a list with one item: Streamlit would search a bare dictionary for data frames and import
    pandas for that, which would delay the first picture. A number and its "%" stay on one line.
    """
    source = Path(module_file)
    html, css, js = (
        source.with_suffix(suffix).read_text(encoding="utf-8")
        for suffix in (".html", ".css", ".js")
    )
    scripts = (_DOM, *(_DOM.with_name(f"{part}.js") for part in parts))
    js = "".join(script.read_text(encoding="utf-8") for script in scripts) + js
    styles = (_DOM.with_name(f"{part}.css") for part in parts)
    css += "".join(style.read_text(encoding="utf-8") for style in styles)
    mount = st.components.v2.component(f"explorer.{source.stem}", html=html, css=css, js=js)

    def draw(*, key: str, data: dict[str, Any], **callbacks: Any) -> None:
        mount(key=key, data=[_unbroken(data)], **callbacks)

    return draw


def _unbroken(data: Any) -> Any:
    """``data`` with a space that breaks no line before each "%" and "×"; pictures stay."""
    if isinstance(data, str):
        return data if data.startswith("data:") else _UNBROKEN.sub("\N{NO-BREAK SPACE}", data)
    if isinstance(data, dict):
        return {key: _unbroken(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_unbroken(value) for value in data]
    return data
