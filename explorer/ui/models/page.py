"""The models page: what is on this machine, what can be downloaded, and a form to add a model."""

from __future__ import annotations

import streamlit as st

from explorer.ui.components.errors import report_errors
from explorer.ui.models.add_model import add_model_section
from explorer.ui.models.model_list import downloadable_models, installed_models, models_in_memory
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.link_words import allow, name_wrong_settings
from explorer.ui.shared.mode import is_public, may_fetch

TAB = "models_tab"  # the key of the tabs, also in the address
# The words of the accuracies under attack, which the glossary explains.
_WORDS = ("robust_accuracy", "epsilon", "linf", "l2", "pgd")
TO_DOWNLOAD, ADD = "ImageNet classifiers to download", "Add your own"


def models_page() -> None:
    """Draw the tabs. An error in one of them leaves the others as they are."""
    here = "On this server" if is_public() else "On this machine"
    notice = st.container()
    titles = [here, TO_DOWNLOAD, ADD] if may_fetch() else [here, ADD]
    remember_asked(TAB)
    allow(TAB, titles)
    tabs = dict(zip(titles, st.tabs(titles, key=TAB, bind="query-params"), strict=True))
    name_wrong_settings(notice, TAB)
    installed: frozenset[str] = frozenset()
    with tabs[here], report_errors():
        installed = installed_models()
        models_in_memory()
        glossary_words(_WORDS, "models")
    if TO_DOWNLOAD in tabs:
        with tabs[TO_DOWNLOAD], report_errors():
            downloadable_models(installed)
    with tabs[ADD], report_errors():
        add_model_section()
