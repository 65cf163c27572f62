"""The models page: which classifiers are on this machine, and how to get others."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mode import is_public

st.title("Models")
if is_public():
    st.markdown("Classifiers on this server, and those that you bring yourself.")
else:
    st.markdown(
        "Classifiers on this machine. Downloads and your own models stay here and work offline."
    )
wait_for_imports("picture")

from explorer.ui.models.page import models_page  # noqa: E402, imports torch

models_page()
