"""The data page: one picture in each of the constructed sets, and which features they hold."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint
from explorer.ui.shared.reserved import reserve_sidebar

reserve_sidebar()
st.title("Robust and non-robust data")
mobile_hint()
st.markdown(
    "Ilyas et al. (2019) built training sets that differ in which features agree with the label: "
    "“[Adversarial Examples Are Not Bugs, They Are Features](https://arxiv.org/abs/1905.02175)”. "
    "Here is one picture in each: "
    "unchanged (D); with only a robust classifier's features (D_R); with only a standard one's "
    "(D_NR); nudged towards a random label (D_rand) or the next one (D_det)."
)
notice = st.container(key="notice")
row = st.container(key="row")
wait_for_imports("picture")

from explorer.ui.datasets.page import datasets_page  # noqa: E402, imports torch

datasets_page(notice, row)
