"""Which features does a classifier use? One picture as each of the constructed sets holds it."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint

st.title("Robust and non-robust data")
mobile_hint()
st.markdown(
    "One picture as it stands in five training sets: as it is (D), and rebuilt so that only the features of a robust classifier "
    "(D_R) or of a standard one (D_NR) say what it is, or so that a small push says something else (D_rand, D_det)."
)
notice = st.container(key="notice")
place = st.container(key="row")
wait_for_imports("picture")

from explorer.classifiers import ClassifierError  # noqa: E402
from explorer.images.decode import ImageError  # noqa: E402
from explorer.ui.datasets.controls import choose_row  # noqa: E402
from explorer.ui.datasets.five_sets_row import VIEWS, five_sets_row  # noqa: E402
from explorer.ui.datasets.results import ask_row  # noqa: E402

question, row = None, None
try:
    with st.sidebar:
        question = choose_row()
    with notice:
        row = ask_row(question)
except (ClassifierError, ImageError) as error:
    notice.error(str(error))

if question is not None and row is not None:
    with place:
        view = st.segmented_control(
            "View",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="view",
            bind="query-params",
            label_visibility="collapsed",
        )
        five_sets_row(row, str(view), "bugs_row")
    wait_for_imports("charts")
    from explorer.ui.datasets.caveats import caveats
    from explorer.ui.datasets.live_build import live_build
    from explorer.ui.datasets.paper_comparison import paper_comparison_table
    from explorer.ui.datasets.set_browser import browse

    st.header("Build it before your eyes")
    live_build(question, row)
    st.header("Browse a set")
    browse(question.pair)
    st.header("What training on each set shows")
    paper_comparison_table()
    caveats()
