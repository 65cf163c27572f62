"""Which features does a classifier use? One picture as each of the constructed sets holds it."""

import streamlit as st

from explorer.ui.phone import where_controls_are
from explorer.ui.startup import ready

st.title("Robust and non-robust data")
where_controls_are()
st.markdown(
    "One picture as it stands in five training sets: as it is (D), and rebuilt so that only the features of a robust classifier "
    "(D_R) or of a standard one (D_NR) say what it is, or so that a small push says something else (D_rand, D_det)."
)
notice = st.container(key="notice")
place = st.container(key="row")
ready("picture")

from explorer.classifiers import ClassifierError  # noqa: E402
from explorer.images.decode import ImageError  # noqa: E402
from explorer.ui.bugs_row import VIEWS, bugs_row  # noqa: E402
from explorer.ui.feature_controls import choose_row  # noqa: E402
from explorer.ui.feature_results import ask_row  # noqa: E402

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
            "View", VIEWS, default=VIEWS[0], required=True, key="view", bind="query-params", label_visibility="collapsed"
        )
        bugs_row(row, str(view), "bugs_row")
    ready("charts")
    from explorer.ui.claim import claim_table
    from explorer.ui.objections import objections
    from explorer.ui.robustify import robustify
    from explorer.ui.set_browser import browse

    st.header("Build it before your eyes")
    robustify(question, row)
    st.header("Browse a set")
    browse(question.pair)
    st.header("What training on each set shows")
    claim_table()
    objections()
