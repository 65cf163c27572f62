"""Which classifiers are here, which can be fetched, and how to bring one's own."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports

st.title("Models")
st.markdown(
    "The classifiers this machine can attack. What is fetched or brought is kept on this machine and used without a network."
)
wait_for_imports("picture")

from explorer.ui.models.add_model import bring  # noqa: E402
from explorer.ui.models.model_list import fetchable, here, in_memory  # noqa: E402

tabs = st.tabs(
    ["On this machine", "ImageNet classifiers to fetch", "Bring your own"], key="models tab"
)
with tabs[0]:
    shown = here()
    in_memory()
with tabs[1]:
    fetchable(shown)
with tabs[2]:
    bring()
