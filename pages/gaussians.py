"""The page of two Gaussians: the smallest world in which a classifier is accurate and fragile."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports

st.title("Two Gaussians")
st.markdown(
    "Two classes that are Gaussian clouds: the simplest case in which a classifier is as accurate "
    "as possible and yet easy to fool. Ilyas et al. (2019, section 4) have formulas for it. Drag "
    "the mean, the spread or ε, and see what learning against an adversary changes."
)
wait_for_imports("picture")

from explorer.ui.gaussians.page import gaussians_page  # noqa: E402, imports numpy

gaussians_page()
