"""What a page shows of a job: progress, the result, the error, and the last result meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import UserError
from explorer.ui.jobs import progress
from explorer.ui.jobs.worker import Job

leave = threading.Event()
runs = []


def work(job: Job[str]) -> str:
    runs.append(job.key)
    leave.wait(30)
    if job.key == "bad":
        raise UserError("the classifier has no such class")
    return f"result of {job.key}"


def script() -> None:
    import streamlit as st

    from explorer.ui.jobs.progress import show_progress
    from explorer.ui.jobs.sessions import session_jobs
    from tests.ui.jobs.test_progress import work

    jobs = session_jobs("test")
    key = st.session_state["key"]
    result = show_progress(jobs, jobs.submit("place", key, work), "place", lambda job: "Working")
    st.write(f"{result}")


@pytest.fixture(autouse=True)
def slow_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every job takes longer than the page waits before it shows progress."""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    leave.clear()
    runs.clear()
    yield
    leave.set()


def open_with(key: str) -> AppTest:
    """The page with this job. Keys differ by test: all AppTests are one session to its jobs."""
    at = AppTest.from_function(script)
    at.session_state["key"] = key
    return at.run()


def finish(at: AppTest) -> AppTest:
    leave.set()
    deadline = time.monotonic() + 30
    while at.get("progress"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
        at.run()
    return at


def texts(at: AppTest) -> list[str]:
    return [element.value for element in at.markdown]


def test_progress_comes_first_and_then_the_result() -> None:
    at = open_with("first")
    assert at.get("progress")
    assert texts(at) == ["None"]
    assert texts(finish(at)) == ["result of first"]


def test_the_error_of_a_slow_job_is_shown_once_it_fails_with_the_last_result_below() -> None:
    at = finish(open_with("good"))
    leave.clear()
    at.session_state["key"] = "bad"
    at.run()
    assert not at.error
    finish(at)
    assert [error.value for error in at.error] == ["The classifier has no such class."]
    assert [caption.value for caption in at.caption] == ["Below is the last result."]
    assert texts(at) == ["result of good"]
    assert runs == ["good", "bad"]
