"""What the export sections of the pages share: download buttons, and a link with every control.

Files are built when their button is clicked, without running the page again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import urlencode

import streamlit as st

from explorer.ui.components.errors import error_text
from explorer.ui.shared.imports import wait_for_imports

MAX_NAME = 80  # characters of a file's name


class ExportFile(NamedTuple):
    """A file to download: the ``label`` of its button, the ``ending`` of its name, its type."""

    label: str
    ending: str
    mime: str


def download_buttons(
    files: Iterable[ExportFile], build: Callable[[str], bytes], name: str, key: str
) -> None:
    """A button for each file, which calls ``build(ending)``. ``name`` begins the files' names."""
    with st.container(horizontal=True, key=f"{key}s"):
        for file in files:
            st.download_button(
                file.label,
                partial(build_file, build, file.ending),
                f"{name}{file.ending}",
                file.mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"{key} {file.ending}",
            )


def build_file(build: Callable[[str], bytes], ending: str) -> bytes:
    """``build(ending)``, with the modules that draw files imported.

    An error has the text for the visitor, which Streamlit shows under the button.
    """
    try:
        wait_for_imports("files")
        return build(ending)
    except Exception as error:
        raise RuntimeError(error_text(error)) from None


def page_link(keys: Iterable[str]) -> str:
    """The address with the values of these controls, also of those that have their defaults.

    Another version may have other defaults.
    """
    return link_with({key: st.session_state.get(key) for key in keys})


def link_with(values: Mapping[str, object]) -> str:
    """The page's address with these values of its controls, by key; without those that are None."""
    base = (st.context.url or "").split("?")[0]
    texts = {key: _text(value) for key, value in values.items() if value is not None}
    return f"{base}?{urlencode(texts, doseq=True)}"


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def file_name(text: str, otherwise: str) -> str:
    """``cat-as-dog`` for "cat as dog": a name that every system takes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:MAX_NAME] or otherwise
