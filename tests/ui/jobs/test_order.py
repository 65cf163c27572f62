"""The order of jobs: short ones first, each session its share, long waits count."""

from __future__ import annotations

import pytest

from explorer.ui.jobs.job import Job
from explorer.ui.jobs.order import HALF_LIFE, WAITING_PER_WORK, Usage, rank


def job(seconds: float, background: bool = False) -> Job[None]:
    return Job("key", lambda job: None, estimate=seconds, background=background)


def test_the_shortest_comes_first() -> None:
    assert rank(job(1), 0, 0, False) < rank(job(2), 0, 0, True)


def test_a_session_that_has_used_the_device_waits_for_others() -> None:
    assert rank(job(1), 5, 0, False) > rank(job(2), 0, 0, False)


def test_a_long_wait_outweighs_a_short_job() -> None:
    waits = WAITING_PER_WORK * 9
    assert rank(job(10), 0, waits - 1, False) > rank(job(1), 0, 0, False)
    assert rank(job(10), 0, waits + 1, False) < rank(job(1), 0, 0, False)


def test_the_background_comes_last_however_long_it_waits() -> None:
    assert rank(job(1, background=True), 0, 1e6, True) > rank(job(1000), 1000, 0, False)


def test_among_equals_the_job_with_the_turn_keeps_it() -> None:
    assert rank(job(1), 0, 0, True) < rank(job(1), 0, 0, False)


def test_what_a_session_used_is_forgotten_by_half() -> None:
    now = 0.0
    usage = Usage(lambda: now)
    usage.add("a", 4.0)
    assert (usage.of("a"), usage.of("b")) == (4.0, 0.0)
    now = HALF_LIFE
    assert usage.of("a") == pytest.approx(2.0)
    usage.add("a", 1.0)
    assert usage.of("a") == pytest.approx(3.0)
    now = 100 * HALF_LIFE
    usage.add("b", 1.0)
    assert list(usage._used) == ["b"]
