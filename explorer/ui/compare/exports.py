"""Files of a comparison, its link and its command line."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

import streamlit as st

from explorer.classifiers.entry import USER_PREFIX
from explorer.experiments.compare import Comparison, command_of
from explorer.experiments.one_image.recipe import common_precision
from explorer.images.open import UPLOAD_PREFIX
from explorer.ui.compare.controls import PRECISION, ComparisonRequest
from explorer.ui.shared.exports import ExportFile, download_buttons

FILES = (
    ExportFile("Figure, PNG", ".png", "image/png"),
    ExportFile("Figure, PDF", ".pdf", "application/pdf"),
    ExportFile("Figure, SVG", ".svg", "image/svg+xml"),
    ExportFile("Table, CSV", ".csv", "text/csv"),
    ExportFile("All files, pictures and recipes, ZIP", ".zip", "application/zip"),
)


def exports(comparison: Comparison, request: ComparisonRequest, link: str) -> None:
    """The download buttons, the link that restores the page, and the command line."""
    download_buttons(FILES, partial(build, comparison), "comparison", "compare export")
    st.markdown("Link to this comparison:")
    recipe = request.recipe
    precision = common_precision(each.report.recipe.precision for each in comparison.classifiers)
    if precision is not None and not recipe.is_fgsm:
        link = f"{link}&{urlencode({PRECISION: precision})}"
        recipe = replace(recipe, precision=precision)
    st.code(link, language=None, wrap_lines=True)
    if recipe.image.startswith(UPLOAD_PREFIX):
        st.caption("An uploaded picture can't be part of a link, which restores everything else.")
        recipe = replace(recipe, image=recipe.image.removeprefix(UPLOAD_PREFIX))
    if any(name.startswith(USER_PREFIX) for name in request.names):
        st.caption("Link and command work only where these models of your own were added.")
    st.markdown("The same comparison on the command line:")
    st.code(command_of(recipe, request.names), language="bash", wrap_lines=True)


def build(comparison: Comparison, ending: str) -> bytes:
    """The file with this ``ending``, one of :data:`FILES`."""
    from explorer.figures.comparison_files import comparison_csv, comparison_files, zipped
    from explorer.figures.export import figure_bytes
    from explorer.figures.print_comparison import comparison_figure

    if ending == ".csv":
        return comparison_csv(comparison).encode()
    if ending == ".zip":
        return zipped(comparison_files(comparison))
    return figure_bytes(comparison_figure(comparison), ending.removeprefix("."))
