"""The overview below its introduction: an example, the ways on, and a robust classifier."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.figures.captions import attack_caption
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.progress import last_result
from explorer.ui.overview.landing_example import landing_examples
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse
from explorer.ui.shared.classifiers import entries
from explorer.ui.shared.explanation import attack_explanation
from explorer.ui.shared.triptych import triptych
from explorer.ui.shared.words import badge

PLACE = "overview"


def overview_page(place: DeltaGenerator) -> None:
    """Fill the page; ``place`` takes the first example."""
    others: list[AttackRequest] = []
    response: AttackResponse | None = None
    with place, report_errors():
        request, *others = landing_examples()
        response = run_attack(request, PLACE)
    with place, report_errors():
        response = response or last_result(PLACE)
        if response is not None:
            triptych(response, PLACE)
            st.markdown(_caption(response))
    _buttons()
    attack_explanation("overview_formula")
    if response is not None:
        for request in others:
            with report_errors():
                _robust_example(request)


def _caption(response: AttackResponse) -> str:
    report = response.report
    entry = entries()[report.recipe.model]
    target = None if report.target is None else report.names[report.target]
    attack = attack_caption(report.recipe, target)
    words = (entry.title, response.request.picture.title, attack)
    return f"{badge(entry)} :small[{' · '.join(map(plain, words))}]"


def _buttons() -> None:
    with st.container(horizontal=True):
        if st.button(
            "Attack an image yourself", type="primary", icon=":material/bolt:", key="to_attack"
        ):
            st.switch_page("../pages/attack.py")
        if st.button(
            "See what training data teach a classifier",
            icon=":material/compare:",
            key="to_datasets",
        ):
            st.switch_page("../pages/datasets.py")


def _robust_example(request: AttackRequest) -> None:
    entry = entries()[request.recipe.model]
    st.markdown(
        f"{badge(entry)} The same picture and the same ε, on a classifier that was trained on "
        "attacked pictures:"
    )
    place = f"{PLACE} {entry.name}"
    response = run_attack(request, place)
    if response is not None:
        triptych(response, place)
