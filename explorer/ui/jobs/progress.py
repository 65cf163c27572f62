"""Waiting for jobs on a page: progress while they run, and the last result until they are done.

A page draws all it has first. At the end of its script :func:`following_jobs` keeps the progress of
the unfinished jobs up to date, in the same run, and runs the script again when one has finished.
Fragments that run every tenth of a second would do the same with a script run each, and Streamlit
collects garbage at the end of every run: with ten visitors that took more time than their attacks.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.errors import count_of
from explorer.ui.components.markdown import sentence
from explorer.ui.jobs.budget import allowed_seconds_left, duration
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.sessions import SessionJobs

T = TypeVar("T")
Draw = Callable[[DeltaGenerator], None]
State = Callable[[], Hashable]

# Most attacks on a bundled classifier end sooner: the page then shows no progress bar at all.
PATIENCE = 0.8  # seconds
# Seconds between two looks at the jobs. Whatever is drawn meanwhile costs the server time, and
# ends the run if the visitor has caused a newer one.
INTERVAL = 0.25
PREVIEW_INTERVAL = 1.0  # seconds: the browser puts a new component in the place of the last one
WORTH_SAYING = 1.5  # seconds left
_FOLLOWED = "followed jobs"  # in the session's state


@dataclass(eq=False)
class _Followed:
    job: Job[Any]
    place: DeltaGenerator
    draw: Draw
    state: State
    interval: float
    reruns: bool
    drawn_state: Hashable = None
    drawn_at: float = float("-inf")

    def update(self) -> None:
        """Draw if there is something new, and not too soon after the last time."""
        now, state = time.monotonic(), self.state()
        is_due = now - self.drawn_at >= self.interval or self.job.finished
        if state != self.drawn_state and is_due:
            self.draw(self.place)
            self.drawn_state, self.drawn_at = state, now


def show_progress(
    jobs: SessionJobs,
    job: Job[T],
    place: str,
    describe: Callable[[Job[Any]], str],
    *,
    draw_preview: Callable[[Any, str], None] | None = None,
    preview_place: DeltaGenerator | None = None,
    keep: bool = True,
) -> T | None:
    """The job's result. Until it is done, with ``keep``, the last result of ``place``, or None.

    Shows the job's error or its progress: ``describe`` says what it is doing, and
    ``draw_preview(preview, key)`` draws its preview if there is no last result on the page, in
    ``preview_place`` or else below the progress.
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
            follow_bar(job, lambda: status_text(jobs, job, describe) + suffix)
        else:
            st.empty()  # else the bar would stay until the run ends, and move what is below it then
    if draw_preview is not None and last is None and not finished:
        # Not in the status: the result then takes the preview's place, where it would otherwise
        # stand below the preview until the script ends.
        with preview_place or nullcontext():
            follow_preview(job, draw_preview, f"preview {place}")
    return last


def result_key(place: str) -> str:
    """Where the session state holds the last result of ``place``."""
    return f"result {place}"


def last_result(place: str) -> Any:
    """The last result of ``place`` in this session, or None."""
    return st.session_state.get(result_key(place))


def follow(
    job: Job[Any],
    draw: Draw,
    state: State,
    interval: float = INTERVAL,
    *,
    reruns: bool = True,
) -> None:
    """Draw here, now and whenever ``state()`` has changed, until ``job`` has finished.

    The page then runs again, unless ``reruns`` is False: then the last drawing stays. ``draw``
    receives the place and must put exactly one element there.
    """
    followed = _Followed(job, st.empty(), draw, state, interval, reruns)
    followed.update()
    st.session_state.setdefault(_FOLLOWED, []).append(followed)


def follow_preview(job: Job[Any], draw_preview: Callable[[Any, str], None], key: str) -> None:
    """Draw each new preview of ``job`` here, in a run of the page with another key each time.

    Nothing is drawn before the first preview.
    """
    numbers = count()

    def draw(place: DeltaGenerator) -> None:
        if job.preview is not None:
            with place.container():
                draw_preview(job.preview, f"{key} {next(numbers)}")

    follow(job, draw, lambda: id(job.preview), PREVIEW_INTERVAL)


@contextmanager
def following_jobs() -> Iterator[None]:
    """Run a page's script, then follow the jobs that it left unfinished."""
    st.session_state[_FOLLOWED] = []
    yield
    # Streamlit ends a script when it reads the session's state, if the visitor caused a newer run.
    while followed := st.session_state[_FOLLOWED]:
        followed[0].job.wait(INTERVAL)
        finished = [each for each in followed if each.job.finished]
        if any(each.reruns for each in finished):
            st.rerun()
        for each in followed:
            each.update()
        st.session_state[_FOLLOWED] = [each for each in followed if each not in finished]


def follow_bar(job: Job[Any], text: Callable[[], str]) -> None:
    """A bar for the steps of ``job`` with this text, here."""

    def state() -> tuple[float, str]:
        done, steps = job.progress
        return min(done / steps, 1.0) if steps else 0.0, text()

    def draw(place: DeltaGenerator) -> None:
        place.progress(*state())

    follow(job, draw, state)


def status_text(jobs: SessionJobs, job: Job[Any], describe: Callable[[Job[Any]], str]) -> str:
    """What the job waits for or is doing, and how long that will still take."""
    before, seconds = jobs.worker.ahead(job)
    text = waiting_text(before, "job") if before else describe(job)
    total = seconds + allowed_seconds_left(job)
    return f"{text}, about {duration(total)} left" if total >= WORTH_SAYING else text


def waiting_text(number: int, what: str) -> str:
    """ "Waiting for 2 other jobs"."""
    return f"Waiting for {count_of(number, f'other {what}')}"
