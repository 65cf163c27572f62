"""The comparison page: one attack on several classifiers, and whose picture fools whom."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint
from explorer.ui.shared.reserved import reserve_sidebar

reserve_sidebar()
st.title("Compare classifiers")
mobile_hint()
st.markdown(
    "One picture, one attack, two to four classifiers. Beside each attack is random noise of the "
    "same size, as a control; below, each classifier sees the pictures made to fool the others."
)
notice = st.container(key="notice")
results = st.container(key="results")
wait_for_imports("picture")

from explorer.ui.compare.page import compare_page  # noqa: E402, imports torch

compare_page(notice, results)
