"""The worker: one job computes at a time, the shortest first, step by step."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from explorer.errors import Cancelled, UserError
from explorer.ui.components.errors import OUT_OF_MEMORY
from explorer.ui.jobs import budget
from explorer.ui.jobs import worker as worker_module
from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.worker import Statistics, Worker

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
    assert first.wait(TIMEOUT)
    assert not first.done


def test_a_cancelled_job_in_the_middle_of_a_step_is_ahead_of_none(worker: Worker) -> None:
    in_step, end_step = threading.Event(), threading.Event()

    def long_step(job: Job[None]) -> None:
        job.next_step()
        job.progress, job.estimate = (0, 10), 600.0
        in_step.set()
        end_step.wait(TIMEOUT)

    worker.submit("a", 1, long_step)
    assert in_step.wait(TIMEOUT)
    other = worker.submit("b", 1, blocked(threading.Event(), end_step))
    assert worker.ahead(other)[0] == 0  # it is thought to be the shorter one
    other.estimate = 9000.0
    assert worker.ahead(other) == (1, budget.allowed_seconds_left(worker._jobs[0]))
    worker.forget("a")
    assert worker.ahead(other) == (0, 0.0)
    end_step.set()


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
    # The first steps tell how long each takes; from then on the one that is ahead stays ahead.
    changes = sum(one != other for one, other in pairwise(steps.log))
    assert changes <= 8


def test_no_job_starves(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_module, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(worker_module, "STEP_OUT_OF_ORDER", 0.0)
    steps, begun = Steps(), threading.Event()
    long = worker.submit("a", 1, steps.work("long", 1000, begun))
    assert begun.wait(TIMEOUT)
    short = worker.submit("b", 1, steps.work("short", 60))
    assert short.wait(TIMEOUT)
    between = steps.log[steps.log.index("short") :]
    assert 2 <= between.count("long") <= 20
    worker.forget("a")
    assert long.wait(TIMEOUT)


def test_work_in_the_background_gets_no_step_while_a_question_waits(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LONGEST_PAUSE", 0.0)
    monkeypatch.setattr(worker_module, "STEP_OUT_OF_ORDER", 0.0)
    steps, begun = Steps(), threading.Event()
    ladder = worker.submit("a", 1, steps.work("ladder", 1000, begun), background=True)
    assert begun.wait(TIMEOUT)
    question = worker.submit("b", 1, steps.work("question", 60))
    assert question.wait(TIMEOUT)
    between = steps.log[steps.log.index("question") :]
    assert "ladder" not in between[:60]
    worker.forget("a")
    assert ladder.wait(TIMEOUT)


def one_step(job: Job[str]) -> str:
    if job.next_step():
        raise Cancelled
    return "done"


def holding(entered: threading.Event, leave: threading.Event) -> Work:
    """Work of one step, which takes until ``leave`` is set."""

    def work(job: Job[str]) -> str:
        job.next_step()
        entered.set()
        leave.wait(TIMEOUT)
        return "done"

    return work


def test_a_waiting_job_knows_how_many_come_before_it_and_for_how_long(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    running = worker.submit("a", 1, holding(entered, leave))
    assert entered.wait(TIMEOUT)
    second = worker.submit("b", 1, one_step)
    time.sleep(0.05)  # it has waited for longer than the third
    third = worker.submit("c", 1, one_step)
    assert [worker.ahead(job)[0] for job in (running, second, third)] == [0, 1, 2]
    leave.set()
    assert third.wait(TIMEOUT)
    assert worker.ahead(third) == (0, 0.0)


def test_work_before_the_first_step_needs_no_turn(worker: Worker) -> None:
    entered, leave = threading.Event(), threading.Event()
    running = worker.submit("a", 1, holding(entered, leave))
    assert entered.wait(TIMEOUT)
    preparing = worker.submit("b", 1, lambda job: "prepared")
    assert preparing.wait(TIMEOUT)
    assert (preparing.result, running.finished) == ("prepared", False)
    leave.set()


def test_background_work_is_done_when_nobody_waits(worker: Worker) -> None:
    steps, begun = Steps(), threading.Event()
    background = worker.submit("a", 1, steps.work("background", 10, begun), background=True)
    assert begun.wait(TIMEOUT)
    question = worker.submit("b", 1, steps.work("question", 30))
    assert question.wait(TIMEOUT)
    assert background.wait(TIMEOUT)
    first = steps.log.index("question")
    assert steps.log[first : first + 30] == ["question"] * 30


def test_the_time_of_a_job_is_known_from_earlier_ones(worker: Worker) -> None:
    steps = Steps()
    assert worker.estimate(Cost("net", 100)) == 0
    worker.submit("a", 1, steps.work("first", 20), cost=Cost("net", 20)).wait(TIMEOUT)
    assert worker.estimate(Cost("net", 100)) >= 1.0  # each step took at least 10 ms
    assert worker.estimate(Cost("other net", 100)) == 0


def test_a_question_that_would_take_too_long_is_refused_before_it_starts(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_SECONDS", "1")
    steps = Steps()
    worker.submit("a", 1, steps.work("first", 20), cost=Cost("net", 20)).wait(TIMEOUT)
    with pytest.raises(UserError, match=r"would now take about .* may take 1 s of this machine"):
        worker.submit("a", 2, steps.work("second", 300), cost=Cost("net", 300))
    assert "second" not in steps.log


def test_a_question_that_turns_out_to_take_too_long_is_stopped(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_SECONDS", "2")
    monkeypatch.setattr(budget, "_TELLING_SECONDS", 0.05)
    steps = Steps()
    question = worker.submit("a", 1, steps.work("question", 3000))
    background = worker.submit("b", 1, steps.work("background", 300), background=True)
    assert question.wait(TIMEOUT)
    assert "this would now take about" in question.error
    assert steps.log.count("question") < 100
    assert background.wait(TIMEOUT)
    assert background.done


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


def test_work_in_the_background_does_not_count_against_its_session(worker: Worker) -> None:
    def work(job: Job[None]) -> None:
        job.next_step()
        time.sleep(0.02)

    for background in (True, False):
        job = worker.submit("a", object(), work, session="visitor", background=background)
        assert job.wait(TIMEOUT)
        assert job.seconds_used > 0
        assert (worker._usage.of("visitor") > 0) is not background
