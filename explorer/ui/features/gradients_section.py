"""The section of gradients: what each classifier would change in the picture to be more sure."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from explorer.experiments.features.gradients import (
    LOGIT,
    LOSS,
    PERCENTILE,
    ClassifierGradients,
    GradientSettings,
    gradients,
)
from explorer.experiments.features.gradients_recipe import (
    gradients_command,
    gradients_recipe,
)
from explorer.figures.feature_rows import gradient_row
from explorer.ui.components.markdown import plain
from explorer.ui.features.controls import PAGE, FeaturesRequest, choose_class
from explorer.ui.features.gallery_check import CHECK, gallery_check
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports, source_on_command_line
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_widgets import choose_one, choose_seed
from explorer.ui.shared.linked_widgets import linked_slider

OF, COPIES, SPREAD = f"{PAGE}of", f"{PAGE}copies", f"{PAGE}spread"
CLASS, SEED = f"{PAGE}gradient_class", f"{PAGE}gradient_seed"
LINKED = (OF, CLASS, COPIES, SPREAD, SEED, CHECK)
MOST_COPIES = 100
_OF = {"logit": LOGIT, "loss": LOSS}
_OF_HELP = (
    "The logit is the classifier's raw score for the class. The loss says how wrong the classifier "
    "would be if the picture showed that class."
)
_PLACE = "features gradients"
_LEAD = (
    "Which pixels would make a classifier more sure of a class if they became brighter or darker? "
    "The gradient says so. That of a robust classifier shows the shapes of things, that of a "
    "standard one looks more like static."
)
_EXPLANATION = f"""
The gradient says how the score of a class (its logit) grows if a value of the picture grows a
little. In the left map of each pair the three colours are added: green pixels raise the score when
they become brighter, purple ones when they become darker, and white ones do not matter. The right
map shows each colour as it is; middle grey is zero.

The gradients of a standard classifier are larger. To make the maps comparable, each has a scale of
its own by the same rule: full colour stands for the {PERCENTILE}th percentile of the map's absolute
values, which is below it.

SmoothGrad (Smilkov et al. 2017) is the mean of the gradients of many copies of the picture with
different noise. The correlation of neighbouring pixels puts what one sees into a number: it is
about 0 for static, and larger for contours and areas. It also depends on the first layer, so
compare classifiers of one architecture. Tsipras et al. (2019) found that the gradients of robust
classifiers look like objects.
"""
Answer = tuple[ClassifierGradients, ...]


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_LEAD)
    settings = _choose(request)

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        return gradients(
            request.models,
            request.picture.image,
            settings,
            on_step=count,
            cancelled=job.next_step,
        )

    shown = run_in_worker(request, _PLACE, settings, work, lambda job: "Taking gradients")
    if shown.result is None:
        return None
    picture_rows(list(map(gradient_row, shown.result)), "features gradients")
    notes = [plain(f"{each.title}: {note.text}") for each in shown.result for note in each.notes]
    if notes:
        st.caption("  \n".join(notes))  # below the maps, one line each
    gallery_check(request, settings.of)
    with st.expander("How to read the maps", icon=":material/help:"):
        st.markdown(_EXPLANATION)
    if not shown.is_current:
        return None
    _exports(request, settings, shown.result)
    return settings


def _choose(request: FeaturesRequest) -> GradientSettings:
    left, right = st.columns(2)
    with left:
        of = choose_one("Gradient of the", list(_OF), OF, _OF_HELP)
    with right:
        label = choose_class(
            request,
            "Class",
            CLASS,
            "each classifier's prediction",
            "The class whose gradient is taken. Try one that the picture does not show.",
        )
    with st.expander("SmoothGrad"):
        copies = linked_slider(
            "Noisy copies",
            0,
            MOST_COPIES,
            GradientSettings.copies,
            key=COPIES,
            help="0 for the plain gradient alone.",
        )
        spread = linked_slider(
            "Noise, in % of the picture's range of values",
            1,
            50,
            round(100 * GradientSettings.spread),
            key=SPREAD,
            help="How strong the noise is (its standard deviation). Smilkov et al. (2017) take 10 "
            "to 20 % for photographs; small pictures lose their class with so much.",
        )
        seed = choose_seed("The same seed gives the same noise.", f"{PAGE}gradient_")
    return GradientSettings(
        of=_OF[of], copies=int(copies), spread=int(spread) / 100, label=label, seed=seed
    )


def _exports(request: FeaturesRequest, settings: GradientSettings, answers: Answer) -> None:
    source = source_on_command_line(request)

    def build() -> dict[str, bytes]:
        from explorer.figures.gradient_files import gradient_files

        recipe = gradients_recipe(answers, settings, source, request.models)
        return gradient_files(answers, settings, recipe)

    command = gradients_command(settings, source, request.names)
    section_exports(request, LINKED, "gradients", build, [command])
