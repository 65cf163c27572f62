"""The comparison page below its introduction: each classifier's row, the table and the exports."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.experiments.compare import MAX_CLASSIFIERS, Comparison, Control, comparison_of
from explorer.figures.series import classifier_colours
from explorer.ui.compare.answers import answers
from explorer.ui.compare.classifier_row import classifier_row
from explorer.ui.compare.controls import (
    LINKED,
    PAGE,
    PRECISION,
    ComparisonRequest,
    choose_comparison,
)
from explorer.ui.compare.exports import exports
from explorer.ui.compare.jobs import control_job, transfers_job
from explorer.ui.compare.live_epsilon import forget_ladders, live_epsilon_of, row_key
from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.components.question_history import track_history
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.address import remember_asked
from explorer.ui.shared.attack_job import run_attack
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier, entries
from explorer.ui.shared.explanation import attack_explanation
from explorer.ui.shared.exports import page_link
from explorer.ui.shared.glossary_words import glossary_words
from explorer.ui.shared.image_picker import accept_sample_keys
from explorer.ui.shared.link_words import name_wrong_settings
from explorer.ui.shared.own_picture import picture_notice

# In the session's state: the last complete comparison, and the attacks that the live ε moves.
_SHOWN, _MOVED = f"{PAGE}shown", f"{PAGE}moved"
# The words of the controls and of the table, which the glossary explains.
_WORDS = ("epsilon", "linf", "l2", "ssim", "pgd", "fgsm", "restart", "transfer")


@dataclass(frozen=True)
class ShownComparison:
    """A complete comparison with the request and the link that lead to it."""

    request: ComparisonRequest
    comparison: Comparison
    link: str


@dataclass(frozen=True)
class _Rows:
    """What there is of the request so far, by name of the classifier."""

    responses: dict[str, AttackResponse]
    controls: dict[str, Control]


def compare_page(notice: DeltaGenerator, results: DeltaGenerator) -> None:
    """Fill the page. ``notice`` takes errors, ``results`` all that was computed."""
    request: ComparisonRequest | None = None
    with report_errors(notice):
        accept_sample_keys(PAGE)
        remember_asked(*LINKED, PRECISION)
        try:
            with st.sidebar:
                request = choose_comparison()
        finally:
            name_wrong_settings(notice, *LINKED, PRECISION)
            picture_notice(notice, PAGE)
    shown: ShownComparison | None = st.session_state.get(_SHOWN)
    with results:
        if request is not None:
            shown = _compare(request) or shown
        elif shown is not None:
            st.caption("Below is the last comparison.")
        is_current = request is not None and shown is not None and shown.request.key == request.key
        if shown is not None:
            _summary(shown, is_current=is_current)
        track_history(LINKED, shown.request.key if shown is not None and is_current else None)
    attack_explanation(f"{PAGE}formula")
    with st.sidebar:
        glossary_words(_WORDS, "compare")


def _compare(request: ComparisonRequest) -> ShownComparison | None:
    """Draw the rows; the comparison, once everything of it is there."""
    rows = _Rows({}, {})
    with st.container(key="compare moved rows"):  # on a phone the slider stays above them: dock.js
        live = st.container(key="compare live")
        live.markdown(  # at once: an empty container would take no place
            "Each classifier's confidence in the right class while ε grows. Move ε, and all rows "
            "follow; where you let go, each classifier is attacked anew."
        )
        for slot, name in enumerate(request.names):
            with st.container(key=f"compare row {slot}", gap=None), report_errors():
                _row(request, name, slot, rows)
        with live, report_errors():
            _live_epsilon(request, rows)
    _forget_spare(request)
    if len(rows.responses) < 2 or set(rows.controls) != set(rows.responses):
        return None
    with report_errors():
        with _status("table"):
            transfers = transfers_job(request, rows.responses, "compare transfers")
        if transfers is None:
            return None
        models = {name: classifier(name) for name in rows.responses}
        recipes = {name: request.recipes[name] for name in rows.responses}
        reports = {name: response.report for name, response in rows.responses.items()}
        comparison = comparison_of(models, recipes, reports, rows.controls, transfers)
        shown = ShownComparison(request, comparison, page_link(LINKED))
        st.session_state[_SHOWN] = shown
        return shown
    return None


def _live_epsilon(request: ComparisonRequest, rows: _Rows) -> None:
    """The slider for all rows. While some are attacked it stays with the results before them."""
    names = request.names
    moved = {i: rows.responses[name] for i, name in enumerate(names) if name in rows.responses}
    before: dict[int, AttackResponse] = st.session_state.get(_MOVED, {})
    still_here = all(
        names[i : i + 1] == [response.report.recipe.model] for i, response in before.items()
    )
    if still_here and not before.keys() <= moved.keys():
        moved = before
    st.session_state[_MOVED] = moved
    if moved:
        live_epsilon_of(moved, entries(), _colours(request))


def _forget_spare(request: ComparisonRequest) -> None:
    """Cancel the jobs of the slots that the page no longer has."""
    used = len(request.names)
    spare = [place for slot in range(used, MAX_CLASSIFIERS) for place in _places(slot)]
    for device in {str(classifier(name).device) for name in request.names}:
        for place in spare:
            session_jobs(device).cancel(place)
        forget_ladders(device, used)


def _row(request: ComparisonRequest, name: str, slot: int, rows: _Rows) -> None:
    """Draw the row of a classifier, and add what there is of it to ``rows``."""
    attack_place, control_place = _places(slot)
    attack = request.attack(name)
    control: Control | None = None
    with _status(slot):
        response = run_attack(attack, attack_place)
        if response is None or response.report.recipe.model != name:
            return
        if response.request.key == attack.key:
            rows.responses[name] = response
            with report_errors():
                control = control_job(response, control_place)
            if control is not None:
                rows.controls[name] = control
    for note in classifier(name).notes:
        st.warning(sentence(note), icon=":material/warning:")
    noise = None if control is None else control.noise
    classifier_row(response, noise, entries()[name], _colours(request)[slot], row_key(slot))
    for caveat in () if control is None else control.caveats:
        reference = f"[{plain(caveat.reference.title)}]({caveat.reference.url})"
        st.warning(f"{sentence(caveat.sentence)} {reference}", icon=":material/warning:")


def _colours(request: ComparisonRequest) -> list[str]:
    """The colour of each classifier, by slot."""
    return classifier_colours(entries()[name].robust for name in request.names)


def _status(of: object) -> DeltaGenerator:
    """The place for the progress of a row, or of the table."""
    return st.container(key=f"compare status {of}", gap=None)


def _places(slot: int) -> tuple[str, str]:
    return f"compare {slot}", f"compare control {slot}"


def _summary(shown: ShownComparison, *, is_current: bool) -> None:
    st.header("Who is fooled by whose picture")
    st.markdown(
        "Each line is a picture, each column a classifier that sees it. In bold: the classifier "
        "that the picture was made to fool."
    )
    if not is_current:
        st.caption("This is the last complete comparison.")
    for note in shown.comparison.notes:
        st.info(plain(note.text), icon=":material/info:")
    with report_errors():
        answers(shown.comparison, "answers")
    st.header("Export and share")
    with report_errors():
        exports(shown.comparison, shown.request, shown.link)
