"""What a page shows of a job: progress, the result, the error, and the last result meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import UserError
from explorer.ui.jobs import progress
from explorer.ui.jobs.job import Job

leave = threading.Event()
runs = []
drawn: list[tuple[str, bool]] = []  # (last result, whether the job had finished), by run


def work(job: Job[str]) -> str:
    runs.append(job.key)
    leave.wait(30)
    if job.key == "bad":
        raise UserError("the classifier has no such class")
    return f"result of {job.key}"


def script() -> None:
    import streamlit as st

    from explorer.ui.jobs.progress import following_jobs, show_progress
    from explorer.ui.jobs.sessions import session_jobs
    from tests.ui.jobs.test_progress import drawn, work

    with following_jobs():
        jobs = session_jobs("test")
        key = st.session_state["key"]
        job = jobs.submit("place", key, work)
        result = show_progress(jobs, job, "place", lambda job: "Working")
        st.write(f"{result}")
        drawn.append((str(result), job.finished))


@pytest.fixture(autouse=True)
def slow_work(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every job takes longer than the page waits before it shows progress."""
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    leave.clear()
    runs.clear()
    yield
    leave.set()


def run_with(at: AppTest, key: str) -> AppTest:
    """The page with this job, which may finish once the page has drawn its progress."""
    at.session_state["key"] = key
    drawn.clear()

    def release() -> None:
        while not drawn:
            time.sleep(0.01)
        time.sleep(0.1)
        leave.set()

    threading.Thread(target=release).start()
    at.run(timeout=30)
    leave.clear()
    return at


def texts(at: AppTest) -> list[str]:
    return [element.value for element in at.markdown]


# Keys differ by test: all AppTests are one session to its jobs.


def test_progress_comes_first_and_then_the_result_in_two_runs() -> None:
    at = run_with(AppTest.from_function(script), "first")
    assert drawn == [("None", False), ("result of first", True)]
    assert texts(at) == ["result of first"]
    assert not at.get("progress")


def test_the_error_of_a_slow_job_is_shown_once_it_fails_with_the_last_result_below() -> None:
    at = run_with(AppTest.from_function(script), "good")
    run_with(at, "bad")
    assert drawn == [("result of good", False), ("result of good", True)]
    assert [error.value for error in at.error] == ["The classifier has no such class."]
    assert [caption.value for caption in at.caption] == ["Below is the last result."]
    assert texts(at) == ["result of good"]
    assert runs == ["good", "bad"]


def quiet_script() -> None:
    import streamlit as st

    from explorer.ui.jobs.progress import follow, following_jobs
    from explorer.ui.jobs.sessions import session_jobs
    from tests.ui.jobs.test_progress import drawn, work

    with following_jobs():
        job = session_jobs("test").submit("place", st.session_state["key"], work)
        follow(job, lambda slot: slot.write(f"{job.result}"), lambda: job.finished, reruns=False)
        drawn.append((str(job.result), job.finished))


def test_a_result_can_be_drawn_without_another_run() -> None:
    at = run_with(AppTest.from_function(quiet_script), "quiet")
    assert drawn == [("None", False)]
    assert texts(at) == ["result of quiet"]
