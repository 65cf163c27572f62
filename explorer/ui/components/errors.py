"""Errors as sentences on a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.errors import FragmentHandledException

from explorer.errors import UserError, failure_of_user_code, is_out_of_memory, log_bug
from explorer.ui.components.markdown import sentence
from explorer.ui.components.paths import without_folders
from explorer.ui.shared.mode import is_public

OUT_OF_MEMORY = (
    "there is not enough memory for this; use fewer steps, fewer restarts or a smaller classifier"
)


def error_text(error: Exception) -> str:
    """What a visitor is told about ``error``. A bug is logged, and the text holds its id.

    In public mode the text names files without their folders.
    """
    text = _text(error)
    return without_folders(text) if is_public() else text


def _text(error: Exception) -> str:
    if isinstance(error, UserError):
        return str(error)
    if is_out_of_memory(error):
        return OUT_OF_MEMORY
    return failure_of_user_code(error) or (
        f"this is a bug, not a mistake of yours; the log has its traceback under {log_bug(error)}"
    )


@contextmanager
def report_errors(container: DeltaGenerator | None = None) -> Iterator[None]:
    """Show an exception of the block as one sentence in ``container``, by default right here.

    Also a decorator, to be used below ``@st.fragment``. Streamlit ends and restarts scripts with
    exceptions that are no ``Exception``: these pass.
    """
    try:
        yield
    except FragmentHandledException:  # Streamlit has shown it
        raise
    except Exception as error:
        (container or st).error(sentence(error_text(error)))
