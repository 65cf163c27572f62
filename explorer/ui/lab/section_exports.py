"""The foot of a section: its files, the link that restores the page, and the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from explorer.ui.lab.keys import SECTION
from explorer.ui.shared.exports import ExportFile, download_buttons, page_link

FILES = (
    ExportFile("Figure, PNG", ".png", "image/png"),
    ExportFile("Figure, PDF", ".pdf", "application/pdf"),
    ExportFile("Figure, SVG", ".svg", "image/svg+xml"),
    ExportFile("Table, CSV", ".csv", "text/csv"),
    ExportFile("All files and the recipe, ZIP", ".zip", "application/zip"),
)


def section_exports(
    linked: Sequence[str], name: str, build: Callable[[], Mapping[str, bytes]], command: str
) -> None:
    """Draw the foot. ``build`` makes all files by name, among them ``name`` with each ending.

    ``linked`` are the keys of the section's widgets; ``command`` computes the same.
    """

    def file(ending: str) -> bytes:
        from explorer.figures.comparison_files import zipped

        files = dict(build())
        return zipped(files) if ending == ".zip" else files[f"{name}{ending}"]

    st.header("Export and share")
    download_buttons(FILES, file, name, f"lab {name} export")
    st.markdown("Link to this page:")
    st.code(page_link((SECTION, *linked)), language=None, wrap_lines=True)
    st.markdown("The same on the command line:")
    st.code(command, language="bash", wrap_lines=True)
