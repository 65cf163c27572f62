"""The figures of the workers, in the format that Prometheus reads."""

from __future__ import annotations

import threading

from streamlit.runtime.stats import StatsProvider
from streamlit.web.server.starlette.starlette_routes import _stats_to_text

from explorer.ui.jobs.job import Job
from explorer.ui.jobs.metrics import RUNNING, JobMetrics
from explorer.ui.jobs.worker import Worker


def test_waiting_running_and_finished_jobs_are_counted_for_each_worker() -> None:
    busy, idle = Worker("cpu"), Worker("downloads")
    metrics = JobMetrics()
    metrics.add("cpu", busy)
    metrics.add("downloads", idle)
    entered, leave = threading.Event(), threading.Event()

    def work(job: Job[None]) -> None:
        job.next_step()
        entered.set()
        leave.wait(10)

    assert isinstance(metrics, StatsProvider)
    jobs = [busy.submit("first", "key", work)]
    assert entered.wait(10)
    jobs.append(busy.submit("second", "key", work))
    lines = _stats_to_text(metrics.get_stats()).splitlines()
    assert 'explorer_jobs_running{worker="cpu"} 1' in lines
    assert 'explorer_jobs_waiting{worker="cpu"} 1' in lines
    assert 'explorer_jobs_waiting{worker="downloads"} 0' in lines
    assert 'explorer_job_seconds_count{worker="cpu"} 0' in lines
    leave.set()
    assert all(job.wait(10) for job in jobs)
    lines = _stats_to_text(metrics.get_stats()).splitlines()
    assert 'explorer_jobs_running{worker="cpu"} 0' in lines
    assert 'explorer_job_seconds_count{worker="cpu"} 2' in lines
    (total,) = [line for line in lines if line.startswith('explorer_job_seconds_sum{worker="cpu"}')]
    assert float(total.split()[1]) > 0


def test_only_the_families_asked_for_are_computed() -> None:
    metrics = JobMetrics()
    metrics.add("cpu", Worker("cpu"))
    assert list(metrics.get_stats([RUNNING])) == [RUNNING]
