"""Whether the result above can be trusted: what was checked, and what that shows."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.classifiers import Classifier
from explorer.experiments.trust import (
    Caveat,
    Evidence,
    caveats_of,
    evidence_at_once,
    report_evidence,
)
from explorer.figures.captions import count_of
from explorer.ui.attack.opinion import opinion_section
from explorer.ui.components.markdown import plain, sentence
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import follow
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.attack_job import own_or_shared
from explorer.ui.shared.attack_request import AttackResponse
from explorer.ui.shared.classifiers import classifier, identity
from explorer.ui.shared.result_cache import ResultCache

QUESTION = "Can this result be trusted?"
PLACE = "trust"
CAPACITY = 500  # a few hundred bytes each

_EVIDENCE: ResultCache[Evidence] = ResultCache(CAPACITY)


def trust(response: AttackResponse) -> None:
    """Draw the checks of ``response``, collapsed if all is well, and the second opinion.

    What the trace shows is there at once. The other checks ask the classifier again, in the
    background, and are drawn when they are done.
    """
    model = classifier(response.report.recipe.model)
    key = (*response.request.key, identity(model))
    _checks(response, model, key)
    if response.report.outcome != "misclassified" and response.report.recipe.epsilon > 0:
        opinion_section(response, model, key)


def _checks(response: AttackResponse, model: Classifier, key: Hashable) -> None:
    results = own_or_shared(response.request, _EVIDENCE, PLACE)
    jobs = session_jobs(str(model.device))
    if (evidence := results.get(key)) is not None:
        jobs.cancel(PLACE)
        _draw(response, model, evidence, None, st.empty())
        return
    work = partial(_check, response, model, results, key)
    job = jobs.submit(PLACE, key, work, background=True)

    def draw(place: DeltaGenerator) -> None:
        _draw(response, model, job.result, job.error, place)

    follow(job, draw, lambda: job.finished, reruns=False)


def _check(
    response: AttackResponse,
    model: Classifier,
    results: ResultCache[Evidence],
    key: Hashable,
    job: Job[Evidence],
) -> Evidence:
    evidence = report_evidence(model, response.report, cancelled=job.next_step)
    results.put(key, evidence)
    return evidence


def _draw(
    response: AttackResponse,
    model: Classifier,
    evidence: Evidence | None,
    error: str | None,
    place: DeltaGenerator,
) -> None:
    """``evidence`` is None until all checks are done, ``error`` says why they can't be made."""
    caveats = caveats_of(evidence or evidence_at_once(response.report), model)
    if caveats:
        verdict = f"{count_of(len(caveats), 'reason')} for doubt"
    elif error is not None:
        verdict = "Not everything could be checked"
    else:
        verdict = "Checking …" if evidence is None else "Nothing speaks against it"
    icon = ":material/warning:" if caveats else ":material/verified:"
    with place.expander(f"{QUESTION} {verdict}", expanded=bool(caveats), icon=icon):
        for caveat in caveats:
            st.markdown(_paragraph(caveat))
        if error is not None:
            st.caption(f"Some checks could not be made: {sentence(error)}")
        if evidence is not None:
            st.markdown(_measured(evidence, response))


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
        f"{'probabilities' if seen.probabilities else 'raw scores (logits)'}"
        f"{', and saturated' if seen.saturated else ''}.",
        "Confidence in the right class before the attack: "
        f"{'hardly above chance' if seen.near_chance else 'above chance'}.",
        f"Random noise of the same size does what the attack aims at in {seen.noise_succeeded} of "
        f"{seen.noise_trials} trials.",
    ]
    if not success:
        loss = "still rising" if seen.rising else "levelled off"
        items.append(f"Loss at the last step: {'unmoved' if seen.zero_gradient else loss}.")
        if attack.steps > 1:
            found = "succeeds" if seen.one_step_only else "fails too"
            items.append(f"One step of full length instead of {attack.steps}: {found}.")
    elif seen.checked_succeeded:
        kept = "lost" if seen.lost_by_rounding else "kept"
        items.append(f"Success after rounding to 8 bits: {kept}.")
    return "\n".join(f"- {item}" for item in items)
