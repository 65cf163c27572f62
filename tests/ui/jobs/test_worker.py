"""The worker: one job computes at a time, the shortest first, step by step."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from explorer.errors import Cancelled, UserError
from explorer.ui.components.errors import OUT_OF_MEMORY
from explorer.ui.jobs import worker as worker_module
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.worker import Worker

TIMEOUT = 10  # seconds
Work = Callable[[Job[str]], str]


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
            if job.next_step():
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


class Steps:
    """Work of several steps. ``log`` has the names of the jobs whose steps were taken, in order."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.computing = threading.Lock()

    def work(self, name: str, steps: int, begun: threading.Event | None = None) -> Work:
        def take(job: Job[str]) -> str:
            for step in range(steps):
                if job.next_step():
                    raise Cancelled
                assert self.computing.acquire(blocking=False), "two jobs compute at once"
                self.log.append(name)
                time.sleep(0.01)
                self.computing.release()
                job.progress = step + 1, steps
                if begun is not None:
                    begun.set()
            return name

        return take


def test_a_short_job_does_not_wait_for_a_long_one(worker: Worker) -> None:
    steps, begun = Steps(), threading.Event()
    long = worker.submit("a", 1, steps.work("long", 300, begun))
    assert begun.wait(TIMEOUT)
    short = worker.submit("b", 1, steps.work("short", 5))
    assert short.wait(TIMEOUT)
    assert not long.finished
    first = steps.log.index("short")
    assert steps.log[first : first + 5] == ["short"] * 5
    worker.forget("a")
    assert long.wait(TIMEOUT)


def test_jobs_of_one_length_run_one_after_the_other(worker: Worker) -> None:
    steps, begun = Steps(), threading.Event()
    first = worker.submit("a", 1, steps.work("first", 20, begun))
    assert begun.wait(TIMEOUT)
    second = worker.submit("b", 1, steps.work("second", 20))
    assert first.wait(TIMEOUT)
    assert second.wait(TIMEOUT)
    assert second.error is None
    while_first_ran = steps.log[: len(steps.log) - steps.log[::-1].index("first")]
    assert while_first_ran.count("second") <= 1  # its first step tells how long it takes


def test_no_job_starves(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LONGEST_PAUSE", 0.05)
    steps, begun = Steps(), threading.Event()
    long = worker.submit("a", 1, steps.work("long", 1000, begun))
    assert begun.wait(TIMEOUT)
    short = worker.submit("b", 1, steps.work("short", 60))
    assert short.wait(TIMEOUT)
    between = steps.log[steps.log.index("short") :]
    assert 2 <= between.count("long") <= 20
    worker.forget("a")
    assert long.wait(TIMEOUT)


def test_a_waiting_job_knows_how_many_come_before_it_and_for_how_long(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    running = worker.submit("a", 1, lambda job: (entered.set(), leave.wait(TIMEOUT)))
    assert entered.wait(TIMEOUT)
    second = worker.submit("b", 1, lambda job: "second")
    third = worker.submit("c", 1, lambda job: "third")
    assert [worker.ahead(job)[0] for job in (running, second, third)] == [0, 1, 2]
    leave.set()
    assert third.wait(TIMEOUT)
    assert worker.ahead(third) == (0, 0.0)


def test_a_cancelled_job_ends_while_it_waits(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    worker.submit("a", 1, lambda job: (entered.set(), leave.wait(TIMEOUT)))
    assert entered.wait(TIMEOUT)
    waiting = worker.submit("b", 1, lambda job: "never")
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
