"""The attack page below its title: controls, attack, result and exports."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.attack.controls import choose_attack, choose_classifier
from explorer.ui.attack.effort import accept_pinned_quick
from explorer.ui.attack.exports import exports, remember_link
from explorer.ui.attack.full_resolution import KEY as FULL_RESOLUTION
from explorer.ui.attack.full_resolution import full_resolution
from explorer.ui.attack.live_epsilon import live_epsilon_of
from explorer.ui.attack.notices import notices
from explorer.ui.attack.scrubber import scrubber
from explorer.ui.attack.time_needed import time_needed
from explorer.ui.attack.trust import trust
from explorer.ui.components.errors import report_errors
from explorer.ui.components.plot import draw_plot
from explorer.ui.components.question_history import track_history
from explorer.ui.jobs.progress import last_result
from explorer.ui.shared.address import refused_values, remember_asked
from explorer.ui.shared.attack_controls import LINKED
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackRequest, AttackResponse
from explorer.ui.shared.classifiers import entries, load_for_page
from explorer.ui.shared.explanation import attack_explanation
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.image_picker import accept_sample_keys
from explorer.ui.shared.imports import wait_for_imports
from explorer.ui.shared.link_words import name_wrong_settings
from explorer.ui.shared.missing_model import missing_model
from explorer.ui.shared.own_picture import picture_notice
from explorer.ui.shared.triptych import triptych

# The words of the controls and of the pictures, which the glossary explains.
_WORDS = (
    *("epsilon", "linf", "l2", "ssim", "pgd", "fgsm", "step_size", "restart"),
    *("margin", "dlr", "logits"),
)
_ASKED = tuple(key for key in (*LINKED, "precision") if key != "model")  # it has its own sentence


def attack_page(notice: DeltaGenerator, results: DeltaGenerator) -> None:
    """Fill the page. ``notice`` takes progress and errors, ``results`` the last result."""
    response: AttackResponse | None = None
    fgsm: AttackResponse | None = None
    request: AttackRequest | None = None
    with report_errors(notice):
        accept_sample_keys()
        accept_pinned_quick()
        remember_asked(*_ASKED, "model")
        known = entries()
        with st.sidebar:
            name = choose_classifier(known)
            wanted = refused_values("model").get("model")
            if wanted is not None and not wanted.is_repeated:
                notice.warning(missing_model(wanted, known[name], list(known)))
            model = load_for_page(name)
            choice = choose_attack(model)
        name_wrong_settings(notice, *_ASKED, "model", apart=("model",), late=(FULL_RESOLUTION,))
        picture_notice(notice)
        request = AttackRequest(choice.picture, choice.recipe)
        remember_link(request)
        with st.sidebar:
            time_needed(request)
        with notice:
            response = run_attack(request, "attack")
            if choice.fgsm_beside:
                fgsm = run_attack(replace(request, recipe=choice.recipe.fgsm()), "attack fgsm")
    if response is None and (response := last_result("attack")) is not None:
        notice.caption("Below is the last result.")
    if response is not None:
        with results:
            _show(response, fgsm)
    with results:
        track_history((*_ASKED, "model"), _question(request, response, fgsm))
    with st.sidebar:
        glossary_words(_WORDS, "attack")


def _question(
    request: AttackRequest | None, response: AttackResponse | None, fgsm: AttackResponse | None
) -> Hashable | None:
    """The question that the page shows the answer to, None while it shows the last one."""
    if request is None or response is None or response.request.key != request.key:
        return None
    return request.key, fgsm is not None


def _show(response: AttackResponse, fgsm: AttackResponse | None) -> None:
    with report_errors():
        if fgsm is not None:
            st.header("FGSM: one full step")
            triptych(fgsm, "triptych fgsm")
            st.header(f"PGD: {response.report.recipe.steps} small steps")
        triptych(response, "triptych")
        notices(response)
    with report_errors():
        live_epsilon_of(response, "triptych")
    with report_errors():
        trust(response)
    wait_for_imports("charts")
    bars, steps = st.columns(2, gap="large")
    with bars, report_errors():
        st.header("Before and after")
        _bars(response)
    with steps, report_errors():
        st.header("Step by step")
        scrubber(response.report, response.sprite_sheet, "scrubber")
    with report_errors():
        full_resolution(response)
    attack_explanation("formula")
    st.header("Export and share")
    with report_errors():
        exports(response)


def _bars(response: AttackResponse) -> None:
    from explorer.figures.charts import top_k_bars  # imports plotly and pandas: a later stage

    draw_plot(
        top_k_bars(response.report),
        key="bars",
        alt="probability of the most probable classes, before and after the attack",
    )
