"""Which job has the turn: one computes at a time, the shortest first, step by step."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from explorer.errors import UserError
from explorer.ui.jobs import budget
from explorer.ui.jobs import worker as worker_module
from explorer.ui.jobs.job import Cost, Job
from explorer.ui.jobs.worker import Worker
from tests.ui.jobs.work import TIMEOUT, Steps, blocked, holding, one_step


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


def test_work_in_the_background_does_not_count_against_its_session(worker: Worker) -> None:
    def work(job: Job[None]) -> None:
        job.next_step()
        time.sleep(0.02)

    for background in (True, False):
        job = worker.submit("a", object(), work, session="visitor", background=background)
        assert job.wait(TIMEOUT)
        assert job.seconds_used > 0
        assert (worker._usage.of("visitor") > 0) is not background
