"""The data page below the row: build an image, browse a set, compare with the paper."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.ilyas2019.five_sets_result import FiveSetsResult
from explorer.ui.components.errors import report_errors
from explorer.ui.datasets.caveats import caveats
from explorer.ui.datasets.exports import row_exports
from explorer.ui.datasets.live_build import live_build
from explorer.ui.datasets.paper_comparison import paper_comparison_table
from explorer.ui.datasets.request import FiveSetsRequest
from explorer.ui.datasets.set_browser import browse


def sections(request: FiveSetsRequest, row: FiveSetsResult) -> None:
    """Draw the sections. An error in one of them leaves the others as they are."""
    with report_errors():
        row_exports(row)
    st.header("Build it before your eyes")
    with report_errors():
        live_build(request, row)
    st.header("Browse a set")
    with report_errors():
        browse(request.pair)
    st.header("What training on each set shows")
    with report_errors():
        paper_comparison_table()
    caveats()
