"""The worker: requests, results, cancelled jobs, errors and statistics."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable

import pytest

from explorer.errors import UserError
from explorer.ui.components.errors import OUT_OF_MEMORY
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.worker import Statistics, Worker
from tests.ui.jobs.work import TIMEOUT, blocked, failing, holding, one_step


def finished_job(worker: Worker, work: Callable[[Job[object]], object]) -> Job[object]:
    job = worker.submit("a", object(), work)
    assert job.wait(TIMEOUT)
    return job


def test_a_result_comes_back_from_another_thread(worker: Worker) -> None:
    job = finished_job(worker, lambda job: threading.get_ident())
    assert job.done
    assert job.result not in (None, threading.get_ident())


def test_the_same_request_is_one_job(worker: Worker) -> None:
    first = worker.submit("a", 1, lambda job: object())
    assert worker.submit("a", 1, lambda job: object()) is first


def test_a_new_request_cancels_the_job_before_it(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    first = worker.submit("a", 1, blocked(entered, leave))
    assert entered.wait(TIMEOUT)
    second = worker.submit("a", 2, lambda job: "second")
    assert second.wait(TIMEOUT)
    assert second.result == "second"
    assert first.wait(TIMEOUT)
    assert not first.done


def test_statistics_count_jobs_and_their_time(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    worker.submit("a", 1, holding(entered, leave))
    assert entered.wait(TIMEOUT)
    waiting = worker.submit("b", 1, one_step)
    assert worker.statistics() == Statistics(waiting=1, running=1, finished=0, seconds=0.0)
    time.sleep(0.05)
    leave.set()
    assert waiting.wait(TIMEOUT)
    statistics = worker.statistics()
    assert (statistics.waiting, statistics.running, statistics.finished) == (0, 0, 2)
    assert 0.05 <= statistics.seconds <= TIMEOUT


def test_a_cancelled_job_ends_while_it_waits(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    worker.submit("a", 1, holding(entered, leave))
    assert entered.wait(TIMEOUT)
    waiting = worker.submit("b", 1, one_step)
    waiting.cancel()
    assert waiting.wait(TIMEOUT)
    assert waiting.result is None
    leave.set()


def test_an_owner_that_leaves_has_its_job_cancelled(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    job = worker.submit("a", 1, blocked(entered, leave))
    assert entered.wait(TIMEOUT)
    worker.forget("a")
    assert job.wait(TIMEOUT)
    assert not job.done


def test_a_user_error_is_passed_on_as_it_is(worker: Worker) -> None:
    error = "steps must be at least 1"
    assert finished_job(worker, failing(UserError(error))).error == error
    assert finished_job(worker, failing(MemoryError())).error == OUT_OF_MEMORY


def test_any_other_exception_is_a_bug_with_an_id_in_the_log(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "explorer"):
        job = finished_job(worker, failing(KeyError("holiday.png")))
    assert job.error is not None
    bug_id = re.fullmatch(r"this is a bug.* under ([0-9a-f]{8})", job.error)[1]
    assert bug_id in caplog.text
    assert "in work" in caplog.text  # the traceback
    assert "holiday.png" not in caplog.text
    assert finished_job(worker, lambda job: "fine").result == "fine"


def test_a_failed_request_can_be_repeated_once_its_error_was_shown(worker: Worker) -> None:
    first = worker.submit("a", 1, failing(UserError("no")))
    first.awaited = True
    assert first.wait(TIMEOUT)
    assert worker.submit("a", 1, lambda job: "fine") is first
    first.awaited = False
    second = worker.submit("a", 1, lambda job: "fine")
    assert second.wait(TIMEOUT)
    assert second.result == "fine"
