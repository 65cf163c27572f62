"""Whether the result above can be trusted: what was checked, and a second opinion on request."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Classifier
from explorer.experiments.second_opinion import QUERIES, Opinion, SecondOpinion, second_opinion
from explorer.experiments.trust import (
    Caveat,
    Evidence,
    caveats_of,
    evidence_at_once,
    report_evidence,
)
from explorer.figures.captions import count_of, percent
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import follow, show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier, identity

QUESTION = "Can this result be trusted?"
CHECKS, OPINION = "trust", "second opinion"  # places
_ASKED = "second opinion asked for"  # in the session's state


def trust(response: AttackResponse) -> None:
    """Draw the checks of ``response``, collapsed if all is well, and the second opinion.

    What the trace shows is there at once. The other checks ask the classifier again, in the
    background, and are drawn when they are done.
    """
    model = classifier(response.report.recipe.model)
    jobs = session_jobs(str(model.device))
    key = (*response.request.key, identity(model))
    job = jobs.submit(CHECKS, key, partial(_check, response, model), background=True)
    if job.finished:
        _draw(response, model, job, st.empty())
    else:
        draw = partial(_draw, response, model, job)
        follow(job, draw, lambda: job.finished, reruns=False)
    if response.report.outcome != "misclassified" and response.report.recipe.epsilon > 0:
        _second_opinion(response, model, key)


def _check(response: AttackResponse, model: Classifier, job: Job[Evidence]) -> Evidence:
    return report_evidence(model, response.report, cancelled=job.next_step)


def _draw(
    response: AttackResponse, model: Classifier, job: Job[Evidence], place: DeltaGenerator
) -> None:
    evidence = job.result if job.done else None
    caveats = caveats_of(evidence or evidence_at_once(response.report), model)
    label, icon = f"{QUESTION} {_verdict(caveats, job)}", "warning" if caveats else "verified"
    with place.expander(label, expanded=bool(caveats), icon=f":material/{icon}:"):
        for caveat in caveats:
            st.markdown(_paragraph(caveat))
        if job.error is not None:
            st.caption(f"Some checks could not be made: {sentence(job.error)}")
        if evidence is not None:
            st.markdown(_measured(evidence, response))


def _verdict(caveats: tuple[Caveat, ...], job: Job[Evidence]) -> str:
    if caveats:
        return f"{count_of(len(caveats), 'reason')} for doubt"
    if job.error is not None:
        return "Not everything could be checked"
    return "Nothing speaks against it" if job.done else "Checking …"


def _paragraph(caveat: Caveat) -> str:
    link = f"[{plain(caveat.reference.title)}]({caveat.reference.url})"
    return f"**{sentence(caveat.text)}** {sentence(_capital(caveat.advice))} {link}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _measured(seen: Evidence, response: AttackResponse) -> str:
    """Markdown: what each check measured."""
    success, attack = response.report.success, response.report.recipe
    items = [
        f"Gradient at this image: {'zero' if seen.zero_gradient else 'not zero'}.",
        "The same image shown twice: "
        f"{'other' if seen.changed else 'the same'} outputs, which are "
        f"{'probabilities' if seen.probabilities else 'logits'}"
        f"{', and saturated' if seen.saturated else ''}.",
        f"Random noise of the same norm: does what the attack aims at in {seen.noise_succeeded} of "
        f"{seen.noise_trials} trials.",
    ]
    if not success:
        loss = "still rising" if seen.rising else "levelled off"
        items.append(f"Loss at the last step: {'unmoved' if seen.zero_gradient else loss}.")
        if attack.steps > 1:
            found = "succeeds" if seen.one_step_only else "fails too"
            items.append(f"One step of full length in place of {attack.steps}: {found}.")
    elif seen.checked_succeeded:
        kept = "lost" if seen.lost_by_rounding else "kept"
        items.append(f"Success after rounding to 8 bits: {kept}.")
    return "\n".join(f"- {item}" for item in items)


def _second_opinion(response: AttackResponse, model: Classifier, key: tuple[object, ...]) -> None:
    jobs = session_jobs(str(model.device))
    with st.container(key="second_opinion"):
        if st.session_state.get(_ASKED) != key:
            jobs.cancel(OPINION)
            st.button(
                "Ask for a second opinion",
                key="ask_opinion",
                icon=":material/groups:",
                help="APGD and Square of the library pyautoattack attack the same image with the "
                f"same ε. Square asks the classifier up to {QUERIES:,} times, which takes a while.",
                on_click=_remember_asked,
                args=(key,),
            )
            return
        work = partial(_ask, response, model)
        job = jobs.submit(OPINION, key, work, background=True)
        opinion = show_progress(jobs, job, OPINION, _describe, keep=False)
        if opinion is not None:
            _show(opinion)


def _remember_asked(key: tuple[object, ...]) -> None:
    st.session_state[_ASKED] = key


def _ask(response: AttackResponse, model: Classifier, job: Job[SecondOpinion]) -> SecondOpinion:
    def show(calls: int, most: int) -> None:
        job.progress = calls, most

    return second_opinion(model, response.report, on_call=show, cancelled=job.next_step)


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
    says = f"“{plain(prediction.name)}” at {percent(prediction.confidence)}"
    return f"{opinion.name} {'succeeds' if opinion.success else 'fails'}: {says}"
