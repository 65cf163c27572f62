"""Notes on a result: on the classifier, on a prediction that was wrong before, on precision."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.one_image.recipe import precision_note
from explorer.figures.captions import confidence_text
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier
from explorer.ui.shared.image_picker import known_label


def notices(response: AttackResponse) -> None:
    """Show the notes that apply to the response."""
    report, request = response.report, response.request
    model = classifier(report.recipe.model)
    for warning in model.notes:
        st.warning(sentence(warning), icon=":material/warning:")
    label = known_label(request.picture, model)
    if label is not None and label != report.before.index and request.recipe.label is None:
        prediction = f"“{plain(report.before.name)}” at {confidence_text(report.before.confidence)}"
        st.info(
            f"By its data set this picture shows “{plain(model.labels[label])}”, but the "
            f"classifier says {prediction} before any attack: it is already misclassified. The "
            "attack starts from the classifier's prediction; choose the right label under “More "
            "settings”.",
            icon=":material/info:",
        )
    if (note := precision_note(request.recipe, report.recipe)) is not None:
        st.info(note, icon=":material/info:")
    if response.sprite_sheet is None:
        st.caption(
            "With so many steps and restarts at this size only the curves are kept, not the image "
            "of each step."
        )
