"""Files of a comparison, its link and its command line."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from explorer.classifiers.entry import USER_PREFIX
from explorer.experiments.compare import Comparison, command_of
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.compare.controls import LINKED, ComparisonRequest
from explorer.ui.components.errors import error_text
from explorer.ui.shared.imports import wait_for_imports

FILES = (
    ("Figure, PNG", "comparison.png", "image/png"),
    ("Figure, PDF", "comparison.pdf", "application/pdf"),
    ("Figure, SVG", "comparison.svg", "image/svg+xml"),
    ("Table, CSV", "comparison.csv", "text/csv"),
    ("All files, pictures and recipes, ZIP", "comparison.zip", "application/zip"),
)


def exports(comparison: Comparison, request: ComparisonRequest, link: str) -> None:
    """The download buttons, the link that restores the page, and the command line."""
    with st.container(horizontal=True, key="compare exports"):
        for label, name, mime in FILES:
            st.download_button(
                label,
                partial(build, comparison, name),
                name,
                mime,
                on_click="ignore",
                icon=":material/download:",
                key=f"compare export {name}",
            )
    st.markdown("Link to this comparison:")
    st.code(link, language=None, wrap_lines=True)
    recipe = request.recipe
    if recipe.image.startswith(UPLOAD_PREFIX):
        st.caption("An uploaded picture can't be part of a link, which restores everything else.")
        recipe = replace(recipe, image=recipe.image.removeprefix(UPLOAD_PREFIX))
    if any(name.startswith(USER_PREFIX) for name in request.names):
        st.caption("Link and command work only where these models of your own were added.")
    st.markdown("The same comparison on the command line:")
    st.code(command_of(recipe, request.names), language="bash", wrap_lines=True)


def link_of_page() -> str:
    """The address with the value of every control: another version may have other defaults."""
    base = (st.context.url or "").split("?")[0]
    values = {key: st.session_state[key] for key in LINKED if st.session_state.get(key) is not None}
    return f"{base}?{urlencode(values, doseq=True)}"


def build(comparison: Comparison, name: str) -> bytes:
    """The file of this name, one of :data:`FILES`.

    An error has the text for the visitor, which Streamlit shows under the button.
    """
    try:
        return _build(comparison, name)
    except Exception as error:
        raise RuntimeError(error_text(error)) from None


def _build(comparison: Comparison, name: str) -> bytes:
    wait_for_imports("files")
    from explorer.figures.comparison_files import comparison_csv, comparison_files, zipped
    from explorer.figures.export import figure_bytes
    from explorer.figures.print_comparison import comparison_figure

    if name == "comparison.csv":
        return comparison_csv(comparison).encode()
    if name == "comparison.zip":
        return zipped(comparison_files(comparison))
    return figure_bytes(comparison_figure(comparison), name.rpartition(".")[2])
