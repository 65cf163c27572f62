"""The lab: what the dispute about the paper is, and perturbations beyond one picture."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint
from explorer.ui.shared.reserved import reserve_sidebar

reserve_sidebar()
st.title("Bugs or features?")
mobile_hint()
st.markdown(
    "Are adversarial examples bugs of a network, or features of the data that people do not see? "
    "Here are the experiments on which the dispute rests, and attacks that work on more than one "
    "picture."
)
notice = st.container(key="notice")
results = st.container(key="results")
wait_for_imports("picture")

from explorer.ui.lab.page import lab_page  # noqa: E402, imports torch

lab_page(notice, results)
