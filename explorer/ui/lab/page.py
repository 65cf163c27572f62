"""The lab below its introduction: the choice of a section, and the section."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.components.errors import report_errors
from explorer.ui.components.question_history import track_history
from explorer.ui.lab.keys import SECTION
from explorer.ui.lab.patch_controls import KEYS as PATCH
from explorer.ui.lab.sections import SECTIONS
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.attack_widgets import BIND
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.image_picker import accept_sample_keys
from explorer.ui.shared.link_words import allow, name_wrong_settings

_WORDS = ("transfer", "robust_feature", "pgd", "epsilon", "linf", "l2", "wilson")


def lab_page(notice: DeltaGenerator, results: DeltaGenerator) -> None:
    """Fill the page. ``notice`` takes errors, ``results`` the chosen section."""
    by_title = {section.title: section for section in SECTIONS}
    every_key = (SECTION, *(key for section in SECTIONS for key in section.linked))
    question: Hashable | None = None
    with report_errors(notice):
        accept_sample_keys(PATCH)
        remember_asked(*every_key)
        allow(SECTION, by_title)
        title = results.segmented_control(
            "Section",
            list(by_title),
            default=SECTIONS[0].title,
            required=True,
            key=SECTION,
            bind=BIND,
            label_visibility="collapsed",
        )
        section = by_title[str(title)]
        linked = (SECTION, *section.linked)
        try:
            with report_errors(results):
                question = section.draw(results)
        finally:
            name_wrong_settings(notice, *linked, others=every_key)
            track_history(linked, None if question is None else (title, question))
    with st.sidebar:
        glossary_words(_WORDS, "lab")
