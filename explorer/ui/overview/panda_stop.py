"""Stop 1: the picture that is attacked as the page opens, and what a single step does."""

from __future__ import annotations

import streamlit as st

from explorer.experiments.one_image.recipe import format_epsilon
from explorer.figures.captions import attack_caption, confidence_text
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.progress import last_result
from explorer.ui.overview.landing_example import (
    LandingExamples,
    control_values,
    landing_examples,
)
from explorer.ui.overview.places import Places
from explorer.ui.overview.questions import answer, ask
from explorer.ui.shared.address import open_page
from explorer.ui.shared.attack_controls import open_attack_page
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse
from explorer.ui.shared.classifiers import entries
from explorer.ui.shared.explanation import attack_explanation
from explorer.ui.shared.panda import IN_THE_PAPER
from explorer.ui.shared.triptych import triptych
from explorer.ui.shared.words import badge

PLACE = "overview"


def show(places: Places) -> None:
    """Draw the stop."""
    examples: LandingExamples | None = None
    response: AttackResponse | None = None
    with places.picture, report_errors():
        examples = landing_examples()
        with places.status:
            response = run_attack(examples.first, PLACE)
    with places.picture, report_errors():
        response = response or last_result(PLACE)
        if response is not None:
            triptych(response, PLACE)
            how = "Press **Blink** to see both pictures in turn in one place."
            st.markdown(f"{how} {_caption(response)}")
    if response is not None and examples is not None:
        with report_errors():
            _one_step(examples, response, places)
    _buttons(None if examples is None else examples.first)
    attack_explanation("overview_formula")


def _caption(response: AttackResponse) -> str:
    report = response.report
    entry = entries()[report.recipe.model]
    target = None if report.target is None else report.names[report.target]
    attack = attack_caption(report.recipe, target)
    words = " · ".join(plain(text) for text in (entry.title, response.request.picture.title))
    return f"{badge(entry)} :small[{words} · {attack}]"


def _buttons(first: AttackRequest | None) -> None:
    """The ways on; the attack page begins with the ``first`` attack."""
    with st.container(horizontal=True, key="tour-ways"):
        if st.button(
            "Attack an image yourself", type="primary", icon=":material/bolt:", key="to_attack"
        ):
            open_attack_page({} if first is None else control_values(first))
        if st.button(
            "See what training data teach a classifier",
            icon=":material/compare:",
            key="to_datasets",
        ):
            open_page("datasets", {})


def _one_step(examples: LandingExamples, first: AttackResponse, places: Places) -> None:
    """Ask what one step of the same size does, and show it."""
    before, after = first.report.before, first.report.after
    choices = list(dict.fromkeys([before.name, after.name]))
    other = "something else"
    chosen = ask(
        "panda",
        f"The attack above took {first.report.recipe.steps} steps. What does the classifier say "
        "after an attack of a single step with the same ε?",
        [*choices, other],
    )
    response = None
    if chosen is not None:
        with places.status:
            response = run_attack(examples.one_step, f"{PLACE} one step")
    if response is None:
        answer(None, None, "")
        return
    after = response.report.after
    says = after.name
    paper = f" {IN_THE_PAPER}" if examples.is_panda else ""
    size = response.report.recipe.epsilon
    epsilon = f"{format_epsilon(size, 'linf')} ({size:.3g})"  # the paper has the latter
    text = (
        f"After one step with ε = {epsilon} it says “{plain(says)}” at "
        f"{confidence_text(after.confidence)}.{paper}"
    )
    answer(chosen, says if says in choices else other, text)
    triptych(response, f"{PLACE} one step")
