"""The page of questions about many pictures: accuracy against ε, the smallest ε, transfer."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint
from explorer.ui.shared.reserved import reserve_sidebar

reserve_sidebar()
st.title("Accuracy against ε")
mobile_hint()
st.markdown(
    "One attack is an anecdote. Here all pictures of a set are attacked: how many of them several "
    "classifiers still get right as ε grows, the smallest ε that fools each picture, and how often "
    "what fools one classifier fools another."
)
notice = st.container(key="notice")
results = st.container(key="results")
wait_for_imports("picture")

from explorer.ui.curves.page import curves_page  # noqa: E402, imports torch

curves_page(notice, results)
