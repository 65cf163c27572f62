"""What a person should know about a result besides the result."""

from __future__ import annotations

import streamlit as st

from explorer.figures.captions import percent
from explorer.ui.components.markdown import plain
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.image_picker import known_label


def notices(answer: AttackResponse) -> None:
    """Says when the original was misclassified already, and when there was no room for the frames."""
    report, picture = answer.report, answer.question.picture
    model = classifier(report.recipe.model)
    known = known_label(picture, model)
    if known is not None and known != report.before.index and answer.question.recipe.label is None:
        st.info(
            f"This picture shows “{plain(model.labels[known])}” by its data set, but the classifier says "
            f"“{plain(report.before.name)}” at {percent(report.before.confidence)} before any attack: it is already misclassified. "
            "The attack starts from what the classifier says; choose the label under More settings to say what is right.",
            icon=":material/info:",
        )
    if answer.film is None:
        st.caption(
            "With so many steps and restarts at this size the images of the single steps are not kept; the curves are."
        )
