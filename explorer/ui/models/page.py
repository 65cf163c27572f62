"""The models page: what is on this machine, what can be downloaded, and a form to add a model."""

from __future__ import annotations

import streamlit as st

from explorer.ui.components.errors import report_errors
from explorer.ui.models.add_model import add_model_section
from explorer.ui.models.model_list import downloadable_models, installed_models, loaded_models

TABS = ["On this machine", "ImageNet classifiers to download", "Add your own"]


def models_page() -> None:
    """Draw the three tabs. An error in one of them leaves the others as they are."""
    on_this_machine, to_download, add_your_own = st.tabs(TABS, key="models tab")
    installed: frozenset[str] = frozenset()
    with on_this_machine, report_errors():
        installed = installed_models()
        loaded_models()
    with to_download, report_errors():
        downloadable_models(installed)
    with add_your_own, report_errors():
        add_model_section()
