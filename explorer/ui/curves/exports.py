"""Files of an answer, its link and its command line."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.classifiers.entry import USER_PREFIX
from explorer.experiments.sweep.question import Answer
from explorer.ui.curves.controls import LINKED, SetRequest
from explorer.ui.shared.exports import ExportFile, download_buttons, page_link

FILES = (
    ExportFile("Figure, PNG", ".png", "image/png"),
    ExportFile("Figure, PDF", ".pdf", "application/pdf"),
    ExportFile("Figure, SVG", ".svg", "image/svg+xml"),
    ExportFile("Table, CSV", ".csv", "text/csv"),
    ExportFile("Recipe, JSON", ".json", "application/json"),
    ExportFile("All files, ZIP", ".zip", "application/zip"),
)


def exports(answer: Answer, request: SetRequest) -> None:
    """The download buttons, the link that restores the page, and the command line."""
    st.header("Export and share")
    name = answer.question.recipe.question
    download_buttons(FILES, partial(build, answer), name, "curves export")
    st.markdown("Link to this page:")
    st.code(page_link(LINKED), language=None, wrap_lines=True)
    if request.pictures:
        st.caption("Uploaded pictures can't be part of a link, which restores everything else.")
    if any(each.startswith(USER_PREFIX) for each in request.names):
        st.caption("Link and command work only where these models of your own were added.")
    st.markdown("The same on the command line:")
    st.code(command_of(answer), language="bash", wrap_lines=True)


def command_of(answer: Answer) -> str:
    """The command line that asks the same."""
    recipe = answer.question.recipe
    return recipe.command(out=recipe.question)


def build(answer: Answer, ending: str) -> bytes:
    """The file with this ``ending``, one of :data:`FILES`."""
    from explorer.figures.comparison_files import zipped
    from explorer.figures.export import figure_bytes
    from explorer.figures.set_files import answer_figures, answer_files, table_csv

    if ending == ".csv":
        return table_csv(answer.rows).encode()
    if ending == ".json":
        return answer.question.recipe.to_json().encode()
    if ending == ".zip":
        return zipped(answer_files(answer))
    (figure, *_) = answer_figures(answer).values()
    return figure_bytes(figure, ending.removeprefix("."))
