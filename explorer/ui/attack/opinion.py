"""A second opinion on the result above: another library's attacks, on request."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import streamlit as st

from explorer.classifiers import Classifier
from explorer.experiments.second_opinion import QUERIES, Opinion, SecondOpinion, second_opinion
from explorer.figures.captions import confidence_text
from explorer.ui.components.markdown import plain
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_job import own_or_shared
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.result_cache import ResultCache

PLACE = "second opinion"
CAPACITY = 200
_ASKED = "second opinion asked for"  # in the session's state

_OPINIONS: ResultCache[SecondOpinion] = ResultCache(CAPACITY)


def opinion_section(response: AttackResponse, model: Classifier, key: Hashable) -> None:
    """The button that asks, then progress, then whether the attacks confirm the result.

    ``key`` is the question that ``response`` answers. An opinion that is known is shown at once.
    """
    results = own_or_shared(response.request, _OPINIONS, PLACE)
    jobs = session_jobs(str(model.device))
    with st.container(key="second_opinion"):
        opinion = results.get(key)
        if opinion is None and st.session_state.get(_ASKED) == key:
            work = partial(_ask, response, model, results, key)
            job = jobs.submit(PLACE, key, work, background=True)
            opinion = show_progress(jobs, job, PLACE, _describe, keep=False)
            if opinion is None:
                return
        if opinion is not None:
            _show(opinion)
            return
        jobs.cancel(PLACE)
        st.button(
            "Ask for a second opinion",
            key="ask_opinion",
            icon=":material/groups:",
            help="Two other attacks, APGD and Square of the library pyautoattack, attack the same "
            f"image with the same ε. Square asks the classifier up to {QUERIES:,} times, which "
            "takes a while.",
            on_click=_remember_asked,
            args=(key,),
        )


def _remember_asked(key: Hashable) -> None:
    st.session_state[_ASKED] = key


def _ask(
    response: AttackResponse,
    model: Classifier,
    results: ResultCache[SecondOpinion],
    key: Hashable,
    job: Job[SecondOpinion],
) -> SecondOpinion:
    def show(calls: int, most: int) -> None:
        job.progress = calls, most

    opinion = second_opinion(model, response.report, on_call=show, cancelled=job.next_step)
    results.put(key, opinion)
    return opinion


def _describe(job: Job[SecondOpinion]) -> str:
    done, most = job.progress
    return f"Second opinion: query {done:,} of at most {most:,}" if most else "Second opinion"


def _show(opinion: SecondOpinion) -> None:
    show = st.success if opinion.agrees else st.warning
    icon = ":material/handshake:" if opinion.agrees else ":material/warning:"
    show(f"**Second opinion.** {plain(opinion.sentence)}", icon=icon)
    attacks = "; ".join(_outcome(each) for each in (opinion.apgd, opinion.square))
    library = ", ".join(f"{name} {version}" for name, version in opinion.library.items())
    st.caption(f"{attacks}. By {plain(library)}, with the gradients in float32.")


def _outcome(opinion: Opinion) -> str:
    prediction = opinion.prediction
    says = f"“{plain(prediction.name)}” at {confidence_text(prediction.confidence)}"
    return f"{opinion.name} {'succeeds' if opinion.success else 'fails'}: {says}"
