"""The worker: one thread, the latest job of each owner, first come, first served."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator

import pytest

from explorer.errors import Cancelled, UserError
from explorer.ui.components.errors import OUT_OF_MEMORY
from explorer.ui.jobs.worker import Job, Worker

TIMEOUT = 10  # seconds


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker("test")
    yield worker
    worker.close()


def blocked(entered: threading.Event, leave: threading.Event) -> Callable[[Job[str]], str]:
    """Work like an attack: it goes on until ``leave`` is set or the job is cancelled."""

    def work(job: Job[str]) -> str:
        entered.set()
        while not leave.wait(0.005):
            if job.cancelled():
                raise Cancelled
        return "left"

    return work


def failing(error: Exception) -> Callable[[Job[None]], None]:
    def work(job: Job[None]) -> None:
        raise error

    return work


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
    assert first.finished
    assert not first.done


def test_a_new_request_takes_over_the_position_in_the_queue(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    order: list[str] = []
    worker.submit("a", 1, blocked(entered, leave))
    assert entered.wait(TIMEOUT)
    replaced = worker.submit("b", 1, lambda job: order.append("b, old"))
    last = worker.submit("c", 1, lambda job: order.append("c"))
    newer = worker.submit("b", 2, lambda job: order.append("b, new"))
    assert replaced.finished
    assert (worker.ahead(newer), worker.ahead(last)) == (0, 1)
    leave.set()
    assert last.wait(TIMEOUT)
    assert order == ["b, new", "c"]


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
