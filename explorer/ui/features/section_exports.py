"""The foot of a section: its files, the link that restores the page, and the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from explorer.classifiers.entry import USER_PREFIX
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.features.controls import LINKED, FeaturesRequest
from explorer.ui.shared.exports import ExportFile, download_buttons, page_link

FILES = (
    ExportFile("Figure, PNG", ".png", "image/png"),
    ExportFile("Figure, PDF", ".pdf", "application/pdf"),
    ExportFile("Table, CSV", ".csv", "text/csv"),
    ExportFile("All files, values and recipes, ZIP", ".zip", "application/zip"),
)


def section_exports(
    request: FeaturesRequest,
    linked: Sequence[str],
    name: str,
    build: Callable[[], Mapping[str, bytes]],
    commands: Sequence[str],
) -> None:
    """Draw the foot. ``build`` makes all files by name, among them ``name`` with each ending.

    ``linked`` are the keys of the section's widgets; ``commands`` compute the same.
    """

    def file(ending: str) -> bytes:
        from explorer.figures.comparison_files import zipped

        files = dict(build())
        return zipped(files) if ending == ".zip" else files[f"{name}{ending}"]

    st.header("Export and share")
    download_buttons(FILES, file, name, f"features {name} export")
    st.markdown("Link to this page:")
    st.code(page_link((*LINKED, *linked)), language=None, wrap_lines=True)
    if request.picture.source.startswith(UPLOAD_PREFIX):
        st.caption("An uploaded picture can't be part of a link, which restores everything else.")
    if any(model.startswith(USER_PREFIX) for model in request.names):
        st.caption("Link and command work only where these models of your own were added.")
    st.markdown("The same on the command line:")
    st.code("\n".join(commands), language="bash", wrap_lines=True)


def source_on_command_line(request: FeaturesRequest) -> str:
    """The picture as a command names it: an upload by its file's name."""
    return request.picture.source.removeprefix(UPLOAD_PREFIX)
