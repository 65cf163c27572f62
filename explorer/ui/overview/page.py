"""The overview below its introduction: an example, the ways on, and what else to look at."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.figures.captions import attack_caption
from explorer.files import PAGES
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.progress import last_result
from explorer.ui.overview.landing_example import (
    LandingExamples,
    control_values,
    landing_examples,
)
from explorer.ui.shared.attack_controls import open_attack_page
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse
from explorer.ui.shared.classifiers import entries
from explorer.ui.shared.explanation import attack_explanation
from explorer.ui.shared.panda import IN_THE_PAPER
from explorer.ui.shared.triptych import triptych
from explorer.ui.shared.words import badge

PLACE = "overview"


def overview_page(place: DeltaGenerator) -> None:
    """Fill the page; ``place`` takes the first example."""
    examples: LandingExamples | None = None
    response: AttackResponse | None = None
    with place, report_errors():
        examples = landing_examples()
        response = run_attack(examples.first, PLACE)
    with place, report_errors():
        response = response or last_result(PLACE)
        if response is not None:
            triptych(response, PLACE)
            st.markdown(_caption(response))
    _buttons(None if examples is None else examples.first)
    if response is not None and examples is not None:
        with report_errors():
            _one_step(examples.one_step)
    attack_explanation("overview_formula")
    if response is not None and examples is not None:
        with report_errors():
            _robust_examples(examples.robust)


def _caption(response: AttackResponse) -> str:
    report = response.report
    entry = entries()[report.recipe.model]
    target = None if report.target is None else report.names[report.target]
    attack = attack_caption(report.recipe, target)
    words = " · ".join(plain(text) for text in (entry.title, response.request.picture.title))
    return f"{badge(entry)} :small[{words} · {attack}]"


def _buttons(first: AttackRequest | None) -> None:
    """The ways on; the attack page begins with the ``first`` attack."""
    with st.container(horizontal=True):
        if st.button(
            "Attack an image yourself", type="primary", icon=":material/bolt:", key="to_attack"
        ):
            open_attack_page({} if first is None else control_values(first))
        if st.button(
            "See what training data teach a classifier",
            icon=":material/compare:",
            key="to_datasets",
        ):
            st.switch_page(PAGES / "datasets.py")


def _one_step(request: AttackRequest | None) -> None:
    if request is None:
        return
    st.subheader("One step only")
    st.markdown(
        f"{IN_THE_PAPER} Here is one step of the same size, ε = {request.recipe.epsilon:g}, with "
        "the classifier and the picture above:"
    )
    _example(request, f"{PLACE} one step")


def _robust_examples(requests: tuple[AttackRequest, ...]) -> None:
    if not requests:
        return
    st.subheader("A classifier that was trained on attacked pictures")
    same = "The same picture and the same ε"
    if len(requests) == 1:
        st.markdown(f"{same}:")
    else:
        st.markdown(f"Two small classifiers, the second of them trained on attacks. {same}:")
    for request in requests:
        _example(request, f"{PLACE} {request.recipe.model}")


def _example(request: AttackRequest, place: str) -> None:
    response = run_attack(request, place)
    if response is not None:
        st.markdown(_caption(response))
        triptych(response, place)
