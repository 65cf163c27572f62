"""The features page below its introduction: the sidebar, and the section that is chosen."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.components.errors import report_errors
from explorer.ui.components.question_history import track_history
from explorer.ui.features.controls import LINKED, PAGE, SECTION, choose
from explorer.ui.features.sections import SECTIONS
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.attack_widgets import BIND
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.image_picker import accept_sample_keys
from explorer.ui.shared.last_request import chosen_or_last
from explorer.ui.shared.link_words import allow, name_wrong_settings
from explorer.ui.shared.own_picture import picture_notice

_WORDS = ("gradient", "logits", "epsilon", "l2", "ssim", "robust_feature", "wilson")
_CHOSEN = f"{PAGE}chosen"  # in the session's state: the last one without a mistake


def features_page(notice: DeltaGenerator, results: DeltaGenerator) -> None:
    """Fill the page. ``notice`` takes errors, ``results`` the chosen section."""
    by_title = {section.title: section for section in SECTIONS}
    every_key = (*LINKED, *(key for section in SECTIONS for key in section.linked))
    question: Hashable | None = None
    with report_errors(notice):
        accept_sample_keys(PAGE)
        remember_asked(*every_key)
        allow(SECTION, by_title)
        with results:
            title = st.segmented_control(
                "Section",
                list(by_title),
                default=SECTIONS[0].title,
                required=True,
                key=SECTION,
                bind=BIND,
                label_visibility="collapsed",
            )
        section = by_title[str(title)]
        linked = (*LINKED, *section.linked)
        chosen, is_chosen = chosen_or_last(_CHOSEN, choose, notice)
        if chosen is not None:
            with results, report_errors():
                question = section.draw(chosen.load(is_chosen=is_chosen))
        name_wrong_settings(notice, *linked, others=every_key, late=section.late)
        picture_notice(notice, PAGE)
        track_history(linked, None if question is None else (title, question))
    with st.sidebar:
        glossary_words(_WORDS, "features")
