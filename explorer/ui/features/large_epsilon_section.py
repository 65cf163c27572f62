"""The section of large ε: on a robust classifier the picture becomes the target."""

from __future__ import annotations

from collections.abc import Hashable

import streamlit as st

from explorer.experiments.features.large_epsilon import (
    STEPS,
    LargeEpsilon,
    default_epsilon,
    large_epsilon,
    large_epsilon_command,
    large_epsilon_recipe,
)
from explorer.experiments.one_image.recipe import Recipe
from explorer.figures.feature_rows import large_epsilon_row
from explorer.ui.features.controls import PAGE, FeaturesRequest, choose_class
from explorer.ui.features.picture_rows import picture_rows
from explorer.ui.features.section_exports import section_exports, source_on_command_line
from explorer.ui.features.section_job import run_in_worker
from explorer.ui.jobs.job import Job
from explorer.ui.shared.linked_widgets import linked_slider

EPSILON, TARGET = f"{PAGE}large_l2", f"{PAGE}large_target"
LINKED = (EPSILON, TARGET)
_LARGEST = 2.0  # times the default
_LEAD = (
    "An attack with so large an ε that people see the change. What must the picture turn into "
    "until a classifier says the target?"
)
_EXPLANATION = f"""
Each picture is the end of a targeted attack (PGD, L2, {STEPS} equal steps from the picture itself).
The first two may change a quarter and half as much as the last.

A robust classifier says the target only when the picture looks like it, as Tsipras et al. (2019)
saw. A standard one is content with much less: mostly patterns in which people see nothing. Below
the last picture stands what the other classifiers say of it, which the attack did not ask.
"""
Answer = tuple[LargeEpsilon, ...]


def draw(request: FeaturesRequest) -> Hashable | None:
    """Draw the section; the key of its question once the answer is on the page."""
    st.markdown(_LEAD)
    recipe = _choose(request)

    def work(job: Job[Answer]) -> Answer:
        def count(done: int, total: int) -> None:
            job.progress = done, total

        return large_epsilon(
            request.models, request.picture.image, recipe, on_step=count, cancelled=job.next_step
        )

    question = recipe.to_json()
    shown = run_in_worker(request, "features large", question, work, _doing)
    if shown.result is None:
        return None
    titles = {each.name: each.title for each in shown.result}
    rows = [large_epsilon_row(each, titles) for each in shown.result]
    picture_rows(rows, "features large")
    with st.expander("What to see here", icon=":material/help:"):
        st.markdown(_EXPLANATION)
    if not shown.is_current:
        return None
    _exports(request, shown.result)
    return question


def _choose(request: FeaturesRequest) -> Recipe:
    usual = default_epsilon(request.models[request.names[0]].input_size)
    left, right = st.columns(2)
    with left:
        epsilon = linked_slider(
            "ε: length of the change (L2)",
            0.5,
            _LARGEST * usual,
            usual,
            step=0.5,
            format="%.1f",
            key=EPSILON,
            help="The paper's ε for CIFAR-10 is 0.5. Here people should see the change.",
        )
    with right:
        target = choose_class(
            request,
            "Target",
            TARGET,
            "the most probable other class",
            "The class that the picture should turn into. If empty: of the classes that no "
            "classifier predicts, the one that the last classifier finds most probable.",
        )
    return large_epsilon_recipe(request.picture.source, request.names[0], float(epsilon), target)


def _doing(job: Job[Answer]) -> str:
    done, total = job.progress
    return f"Attacking: step {done} of {total}" if total else "Preparing the attacks"


def _exports(request: FeaturesRequest, answers: Answer) -> None:
    def build() -> dict[str, bytes]:
        from explorer.figures.large_epsilon_files import large_epsilon_files

        return large_epsilon_files(answers)

    command = large_epsilon_command(answers, source_on_command_line(request))
    section_exports(request, LINKED, "large-epsilon", build, [command])
