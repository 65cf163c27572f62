"""The attack page: what it takes to fool a classifier on one picture."""

import streamlit as st

from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.mobile import mobile_hint
from explorer.ui.shared.reserved import reserve_sidebar

reserve_sidebar()
st.title("Attack an image")
mobile_hint()
notice = st.container(key="attack-notice")
results = st.container(key="results")
wait_for_imports("picture")

from explorer.ui.attack.page import attack_page  # noqa: E402, imports torch

attack_page(notice, results)
