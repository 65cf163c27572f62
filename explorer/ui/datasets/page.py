"""The data page: one picture in five sets, and what follows from it."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult
from explorer.ui.components.errors import report_errors
from explorer.ui.components.question_history import track_history
from explorer.ui.datasets.controls import BELOW, EVERY_KEY, VIEW, choose_row
from explorer.ui.datasets.image_choice import PAGE
from explorer.ui.datasets.request import FiveSetsRequest
from explorer.ui.datasets.row_job import PLACE, compute_row, shown_request
from explorer.ui.jobs.progress import last_result
from explorer.ui.shared.address import remember_asked, rename_value
from explorer.ui.shared.five_sets_row import PICTURE, VIEWS, five_sets_row
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.image_picker import accept_sample_keys
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.link_words import allow, name_wrong_settings
from explorer.ui.shared.own_picture import picture_notice

_WORDS = ("robust_feature", "gradient", "l2", "epsilon", "step_size", "robust_accuracy", "wilson")
_REQUEST = "row request"  # in the session's state: the last one that could be computed


def datasets_page(notice: DeltaGenerator, place: DeltaGenerator) -> None:
    """Draw the sidebar and the page. ``notice`` takes progress and errors, ``place`` the row.

    After an error the last row stays.
    """
    try:
        _draw(notice, place)
    finally:  # the address sets the sections below the row, too
        name_wrong_settings(notice, *EVERY_KEY, apart=("pair",), late=BELOW)  # said beside it


def _draw(notice: DeltaGenerator, place: DeltaGenerator) -> None:
    request: FiveSetsRequest | None = st.session_state.get(_REQUEST)
    row: FiveSetsResult | None = last_result(PLACE)
    with report_errors(notice):
        rename_value("image", f"{PAGE}image")
        accept_sample_keys(PAGE)
        remember_asked(*EVERY_KEY)
        with place:
            _choose_view()  # first, so that the row and its preview have one place
        with st.sidebar:
            chosen = choose_row()
        picture_notice(notice, PAGE)
        with notice:
            row = compute_row(chosen, place)
        request = st.session_state[_REQUEST] = chosen
    track_history(EVERY_KEY, _question(request))
    if request is None or row is None:
        return
    with place, report_errors():
        five_sets_row(row, str(st.session_state[VIEW]), "five_sets_row")
    # Charts and sets import pandas, plotly and pyarrow, which the row need not wait for.
    wait_for_imports("charts")
    from explorer.ui.datasets.sections import sections

    sections(request, row)
    with st.sidebar:
        glossary_words(_WORDS, "datasets")


def _choose_view() -> None:
    allow(VIEW, VIEWS)
    st.segmented_control(
        "View",
        VIEWS,
        default=PICTURE,
        required=True,
        key=VIEW,
        bind="query-params",
        label_visibility="collapsed",
    )


def _question(request: FiveSetsRequest | None) -> Hashable | None:
    """The question that the page shows the answer to, None while it shows the last one."""
    shown = shown_request()
    if request is None or shown is None or shown.key != request.key:
        return None
    return request.key
