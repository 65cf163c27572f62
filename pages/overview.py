"""The first page: one picture, attacked as it opens, and the ways on."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports

st.title("Adversarial Explorer")
st.markdown(
    "To you these two pictures show the same thing; to a neural network they do not. A change too "
    "small to notice made it see something else. The attack below was computed on this machine."
)
place = st.container(key="first")
wait_for_imports("picture")

from explorer.ui.overview.page import overview_page  # noqa: E402, imports torch

overview_page(place)
