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
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports, source_on_command_line
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.attack_widgets import BIND, choose_one, choose_seed

OF, COPIES, SPREAD = f"{PAGE}of", f"{PAGE}copies", f"{PAGE}spread"
CLASS, SEED = f"{PAGE}gradient_class", f"{PAGE}gradient_seed"
LINKED = (OF, CLASS, COPIES, SPREAD, SEED)
_OF = {"score of the class": LOGIT, "loss": LOSS}
_PLACE = "features gradients"
_EXPLANATION = f"""
The gradient says how the score of a class grows when one pixel grows a little. On the left of each
pair the three channels are added: green pixels raise the score when they become brighter, purple
ones when they become darker, white ones do not matter. On the right each channel is shown as it is,
and middle grey is zero. In each map full strength stands for the {PERCENTILE}th percentile of its
own values, by the same rule for every classifier. The correlation of neighbouring pixels is about 0
for static and grows with contours and areas.
"""
Answer = tuple[ClassifierGradients, ...]


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_EXPLANATION)
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
    for each in shown.result:
        if each.note:
            st.info(plain(f"{each.title}: {each.note}"), icon=":material/info:")
    if not shown.is_current:
        return None
    _exports(request, settings, shown.result)
    return settings


def _choose(request: FeaturesRequest) -> GradientSettings:
    left, right = st.columns(2)
    with left:
        of = choose_one("Gradient of the", list(_OF), OF, "Of the class's logit, or of the loss.")
        label = choose_class(
            request,
            "Class",
            CLASS,
            "each classifier's prediction",
            "The class whose gradient is taken. Try one that the picture does not show.",
        )
    with right:
        copies = st.slider(
            "SmoothGrad: noisy copies",
            0,
            100,
            GradientSettings.copies,
            key=COPIES,
            bind=BIND,
            help="The mean of the gradients of this many copies with noise (Smilkov et al. 2017).",
        )
        spread = st.slider(
            "SmoothGrad: noise, in % of the picture's range",
            1,
            50,
            round(100 * GradientSettings.spread),
            key=SPREAD,
            bind=BIND,
        )
    with st.expander("More settings"):
        seed = choose_seed("The same seed gives the same noise.", f"{PAGE}gradient_")
    return GradientSettings(
        of=_OF[of], copies=int(copies), spread=spread / 100, label=label, seed=seed
    )


def _exports(request: FeaturesRequest, settings: GradientSettings, answers: Answer) -> None:
    source = source_on_command_line(request)

    def build() -> dict[str, bytes]:
        from explorer.figures.gradient_files import gradient_files

        recipe = gradients_recipe(answers, settings, source, request.models)
        return gradient_files(answers, settings, recipe)

    command = gradients_command(settings, source, request.names)
    section_exports(request, LINKED, "gradients", build, [command])
