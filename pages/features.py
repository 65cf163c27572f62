"""The page of what classifiers look for: gradients, activations and what they lead to."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint
from explorer.ui.shared.reserved import reserve_sidebar

reserve_sidebar()
st.title("What a classifier looks for")
mobile_hint()
st.markdown(
    "Two classifiers can give the same answer for different reasons. Here a standard and a robust "
    "one show what they respond to in a picture: the robust one to things that people see too."
)
notice = st.container(key="notice")
results = st.container(key="results")
wait_for_imports("picture")

from explorer.ui.features.page import features_page  # noqa: E402, imports torch

features_page(notice, results)
