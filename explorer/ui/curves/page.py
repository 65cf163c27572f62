"""The page below its introduction: the answer to the sidebar's question, and its exports."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.components.errors import report_errors
from explorer.ui.components.question_history import track_history
from explorer.ui.curves.answer_job import compute_answer, last_answer
from explorer.ui.curves.controls import LINKED, UPLOAD, SetRequest, choose_request
from explorer.ui.curves.exports import exports
from explorer.ui.curves.results import draw_chart, draw_result
from explorer.ui.curves.uploads import left_out_notice
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.link_words import name_wrong_settings


def curves_page(notice: DeltaGenerator, results: DeltaGenerator) -> None:
    """Fill the page. ``notice`` takes errors, ``results`` all that was computed."""
    request: SetRequest | None = None
    with report_errors(notice):
        remember_asked(*LINKED)
        try:
            with st.sidebar:
                request = choose_request()
        finally:
            name_wrong_settings(notice, *LINKED)
    is_current = False
    with results, report_errors():
        if request is not None and request.pictures:
            left_out_notice(notice, UPLOAD)
        if request is None:
            answer = last_answer()
            if answer is not None:
                st.caption("Below is the last result.")
        else:
            answer, is_current = compute_answer(request, draw_chart)
        if answer is not None:
            draw_result(answer, "curves chart")
            if request is not None and is_current:
                exports(answer, request)
    track_history(LINKED, request.key if request is not None and is_current else None)
