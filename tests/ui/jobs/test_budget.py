"""What is learned of how long jobs take, and which questions are refused for it."""

from __future__ import annotations

import pytest

from explorer.errors import UserError
from explorer.settings import SECONDS
from explorer.ui.jobs.budget import FORGOTTEN, Rates, check_time
from explorer.ui.jobs.job import Cost, Job

COST = Cost("net", 100)


def learned(rates: Rates, each: float) -> None:
    """Let ``rates`` see a job of 100 steps that took so many seconds each."""
    job = Job("key", lambda job: None, cost=COST)
    job.progress, job.step_seconds = (100, 100), [each] * 100
    rates.learn(job)


def test_a_slow_spell_does_not_refuse_a_question_that_was_quick_before():
    rates = Rates(clock=lambda: 0.0)
    learned(rates, 0.01)
    learned(rates, 100.0)
    assert rates.estimate(COST) > SECONDS.value
    assert rates.least(COST) == pytest.approx(1.0)
    check_time(Job("key", lambda job: None, estimate=rates.estimate(COST), least=rates.least(COST)))


def test_a_question_that_was_only_ever_slow_is_refused_at_first_and_tried_again_later():
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    learned(rates, 100.0)
    with pytest.raises(UserError, match="ask again when it is less busy"):
        check_time(Job("key", lambda job: None, least=rates.least(COST)))
    now[0] = FORGOTTEN + 1
    assert rates.least(COST) == 0.0
    check_time(Job("key", lambda job: None, least=rates.least(COST)))


def test_nothing_is_known_of_other_work():
    rates = Rates()
    learned(rates, 1.0)
    assert rates.estimate(Cost("other net", 1)) == rates.least(Cost("other net", 1)) == 0.0
    assert rates.estimate(None) == rates.least(None) == 0.0
