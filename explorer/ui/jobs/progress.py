"""Waiting for jobs on a page: progress while they run, and the last result until they are done.

A page draws all it has first. At the end of its script :func:`following_jobs` keeps the progress of
the unfinished jobs up to date, in the same run, and runs the script again when one has finished.
Fragments that run every tenth of a second would do the same with a script run each, and Streamlit
collects garbage at the end of every run: with ten visitors that took more time than their attacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.ui.components.errors import report_errors
from explorer.ui.components.markdown import sentence
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.sessions import SessionJobs

T = TypeVar("T")
Draw = Callable[[DeltaGenerator], None]

# Most attacks on a bundled classifier end sooner: the page then shows no progress bar at all.
PATIENCE = 0.8  # seconds
# Seconds between two looks at the jobs. Whatever is drawn meanwhile costs the server time, and
# ends the run if the visitor has caused a newer one.
INTERVAL = 0.25
PREVIEW_INTERVAL = 1.0  # seconds: a preview needs a script run
WORTH_SAYING = 1.5  # seconds left
_FOLLOWED = "followed jobs"  # in the session's state


class _Followed(NamedTuple):
    job: Job[Any]
    place: DeltaGenerator
    draw: Draw


def show_progress(
    jobs: SessionJobs,
    job: Job[T],
    place: str,
    describe: Callable[[Job[Any]], str],
    *,
    draw_preview: Callable[[Job[Any]], None] | None = None,
    keep: bool = True,
) -> T | None:
    """The job's result. Until it is done, with ``keep``, the last result of ``place``, or None.

    Shows the job's error or its progress: ``describe`` says what it is doing, and ``draw_preview``
    draws its preview if there is no last result on the page.
    """
    job.wait(PATIENCE)
    finished = job.finished
    if finished and job.cancelled():
        st.rerun()  # the browser lost its connection, which cancelled the session's jobs
    job.awaited = not finished
    if job.done and keep:
        st.session_state[result_key(place)] = job.result
    last: T | None = last_result(place) if keep else job.result
    with st.container(key=f"status {place}"):
        if job.error is not None:
            st.error(sentence(job.error))
            if last is not None:
                st.caption("Below is the last result.")
        elif not finished:
            suffix = "; below is the last result." if last is not None else ""
            follow(job, lambda at: _draw_bar(at, jobs, job, describe, suffix))
            if draw_preview is not None and last is None:
                _preview(job, draw_preview)
    return last


def result_key(place: str) -> str:
    """Where the session state holds the last result of ``place``."""
    return f"result {place}"


def last_result(place: str) -> Any:
    """The last result of ``place`` in this session, or None."""
    return st.session_state.get(result_key(place))


def follow(job: Job[Any], draw: Draw) -> None:
    """Draw here, now and again until ``job`` has finished; the page then runs again.

    ``draw`` receives the place and must put exactly one element there.
    """
    place = st.empty()
    draw(place)
    st.session_state.setdefault(_FOLLOWED, []).append(_Followed(job, place, draw))


@contextmanager
def following_jobs() -> Iterator[None]:
    """Run a page's script, then follow the jobs that it left unfinished."""
    followed: list[_Followed] = []
    st.session_state[_FOLLOWED] = followed
    yield
    while followed:
        followed[0].job.wait(INTERVAL)
        if any(each.job.finished for each in followed):
            st.rerun()
        for each in followed:
            each.draw(each.place)


def _draw_bar(
    place: DeltaGenerator,
    jobs: SessionJobs,
    job: Job[Any],
    describe: Callable[[Job[Any]], str],
    suffix: str,
) -> None:
    done, steps = job.progress
    place.progress(min(done / steps, 1.0) if steps else 0.0, _status(jobs, job, describe) + suffix)


def _status(jobs: SessionJobs, job: Job[Any], describe: Callable[[Job[Any]], str]) -> str:
    count, seconds = jobs.worker.ahead(job)
    text = waiting_text(count, "job") if count else describe(job)
    total = seconds + job.seconds_left
    return f"{text}, about {total:.0f} s left" if total >= WORTH_SAYING else text


def waiting_text(count: int, what: str) -> str:
    """ "Waiting for 2 other jobs"."""
    return f"Waiting for {count} other {what}{'s' if count > 1 else ''}"


@st.fragment(run_every=PREVIEW_INTERVAL)
@report_errors()
def _preview(job: Job[Any], draw_preview: Callable[[Job[Any]], None]) -> None:
    """What there is of the first result of a page."""
    if not job.finished:
        draw_preview(job)
