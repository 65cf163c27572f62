"""How confident the pair is in every label of a set, computed by the worker and cached."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from explorer.classifiers import Classifier
from explorer.experiments.evaluation.label_confidence import label_confidence
from explorer.ui.datasets.loaded_set import LoadedSet
from explorer.ui.datasets.pair import ClassifierPair
from explorer.ui.jobs.job import Job
from explorer.ui.jobs.progress import show_progress
from explorer.ui.jobs.sessions import session_jobs
from explorer.ui.shared.classifiers import classifier_of, identity
from explorer.ui.shared.result_cache import ResultCache

_WORKER, _PLACE = "sets", "label confidences"
_CACHE: ResultCache[Tensor] = ResultCache(16)  # sets; shared by all sessions


@dataclass(frozen=True)
class _Request:
    """Which classifiers are asked about which set."""

    loaded: LoadedSet
    pair: ClassifierPair

    def models(self) -> tuple[Classifier, Classifier]:
        return classifier_of(self.pair.standard), classifier_of(self.pair.robust)

    @property
    def key(self) -> Hashable:
        return self.loaded.set.digest, *map(identity, self.models())


def label_confidences(loaded: LoadedSet, pair: ClassifierPair) -> Tensor | None:
    """float32 [2, N]: the standard and the robust classifier's probability of each label.

    An image without a label has 0. None while the worker computes; the page shows its progress.
    """
    request = _Request(loaded, pair)
    cached = _CACHE.get(request.key)
    if cached is not None:
        return cached
    jobs = session_jobs(_WORKER)
    job = jobs.submit(_PLACE, request.key, partial(_compute, request))
    return show_progress(jobs, job, _PLACE, _status, keep=False)


def _status(job: Job[Tensor]) -> str:
    done, total = job.progress
    return "Asking both classifiers" + (f" about image {done:,} of {total:,}" if total else "")


def _compute(request: _Request, job: Job[Tensor]) -> Tensor:
    def on_progress(done: int, total: int) -> None:
        job.progress = done, total

    data = request.loaded.set.data
    labels = data.labels.clamp(min=0)
    confidence = label_confidence(
        request.models(), data.images, labels, on_progress=on_progress, cancelled=job.next_step
    )
    confidence[:, data.labels < 0] = 0
    _CACHE.put(request.key, confidence)
    return confidence
