"""The worker: one thread, latest wins, fair to sessions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from explorer.attacks import AttackError
from explorer.errors import Cancelled
from explorer.ui.jobs.worker import Job, Worker

SOON = 10  # seconds


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("test")
    yield made
    made.close()


def blocked(entered: threading.Event, leave: threading.Event) -> Callable[[Job[str]], str]:
    """Work like an attack: goes on until told to leave, or cancelled."""

    def work(job: Job[str]) -> str:
        entered.set()
        while not leave.wait(0.005):
            if job.cancelled():
                raise Cancelled
        return "left"

    return work


def test_a_result_comes_back_from_another_thread(worker: Worker) -> None:
    job = worker.submit("a", 1, lambda job: threading.get_ident())
    assert job.wait(SOON)
    assert job.done
    assert job.result not in (None, threading.get_ident())


def test_the_same_question_is_not_asked_twice(worker: Worker) -> None:
    first = worker.submit("a", 1, lambda job: object())
    assert worker.submit("a", 1, lambda job: object()) is first


def test_a_new_value_cancels_the_job_before_it(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    first = worker.submit("a", 1, blocked(entered, leave))
    assert entered.wait(SOON)
    second = worker.submit("a", 2, lambda job: "second")
    assert second.wait(SOON)
    assert second.result == "second"
    assert first.finished
    assert not first.done


def test_a_session_waits_its_turn_and_keeps_its_place(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    order: list[str] = []
    worker.submit("a", 1, blocked(entered, leave))
    assert entered.wait(SOON)
    replaced = worker.submit("b", 1, lambda job: order.append("b, old"))
    last = worker.submit("c", 1, lambda job: order.append("c"))
    newer = worker.submit("b", 2, lambda job: order.append("b, new"))
    assert replaced.finished
    assert (worker.ahead(newer), worker.ahead(last)) == (0, 1)
    leave.set()
    assert last.wait(SOON)
    assert order == ["b, new", "c"]


def test_a_session_that_ends_takes_its_job_along(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    job = worker.submit("a", 1, blocked(entered, leave))
    assert entered.wait(SOON)
    worker.forget("a")
    assert job.wait(SOON)
    assert not job.done


def test_a_failure_is_a_sentence_and_the_worker_goes_on(worker: Worker) -> None:
    def fails(error: Exception) -> Callable[[Job[None]], None]:
        def work(job: Job[None]) -> None:
            raise error

        return work

    expected = worker.submit("a", 1, fails(AttackError("steps must be at least 1")))
    assert expected.wait(SOON)
    assert expected.error == "steps must be at least 1"
    unexpected = worker.submit("a", 2, fails(KeyError("x")))
    assert unexpected.wait(SOON)
    assert unexpected.error == "This failed unexpectedly: KeyError: 'x'"
    assert worker.submit("a", 3, lambda job: "fine").wait(SOON)


def test_a_failed_question_may_be_asked_again(worker: Worker) -> None:
    first = worker.submit("a", 1, lambda job: 1 / 0)
    assert first.wait(SOON)
    second = worker.submit("a", 1, lambda job: "fine")
    assert second.wait(SOON)
    assert second.result == "fine"
