"""Figures for those who run the server: jobs, beside Streamlit's own at ``/_stcore/metrics``."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence

from streamlit import runtime
from streamlit.runtime.stats import GaugeStat, HistogramStat, Stat

from explorer.ui.jobs.worker import Worker

WAITING, RUNNING, SECONDS = (
    "explorer_jobs_waiting",
    "explorer_jobs_running",
    "explorer_job_seconds",
)


class JobMetrics:
    """What the workers did and have to do, each under its name.

    It is a ``StatsProvider`` of Streamlit.
    """

    stats_families = (WAITING, RUNNING, SECONDS)

    def __init__(self) -> None:
        self._workers: dict[str, Worker] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is no worker yet."""
        return not self._workers

    def add(self, name: str, worker: Worker) -> None:
        """Count this worker's jobs too, in place of those of an earlier one of its name."""
        self._workers = {**self._workers, name: worker}  # another thread may be reading the old one

    def get_stats(self, family_names: Sequence[str] | None = None) -> Mapping[str, Sequence[Stat]]:
        """The figures of all workers by family, for the families asked for."""
        figures: dict[str, list[Stat]] = {family: [] for family in self.stats_families}
        for name, worker in self._workers.items():
            now, labels = worker.statistics(), {"worker": name}
            figures[WAITING].append(
                GaugeStat(WAITING, now.waiting, labels, help="Jobs that wait for the device.")
            )
            figures[RUNNING].append(
                GaugeStat(RUNNING, now.running, labels, help="Jobs that have the device.")
            )
            figures[SECONDS].append(
                HistogramStat(
                    SECONDS,
                    ((math.inf, now.finished),),
                    now.seconds,
                    now.finished,
                    labels,
                    "seconds",
                    "Time for which finished jobs had the device.",
                )
            )
        return {
            family: stats
            for family, stats in figures.items()
            if family_names is None or family in family_names
        }


_METRICS, _LOCK = JobMetrics(), threading.Lock()


def publish(name: str, worker: Worker) -> None:
    """Add a worker to the figures that this process' server publishes.

    It takes the place of an earlier one of the same name.
    """
    with _LOCK:
        if _METRICS.is_empty:
            runtime.get_instance().stats_mgr.register_provider(_METRICS)
        _METRICS.add(name, worker)
