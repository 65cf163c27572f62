"""The memory that attacking a batch takes."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import psutil
import torch

from explorer.attacks import PGD, Threat
from explorer.benchmarks.baselines import Setting
from explorer.benchmarks.rounds import gallery_images
from explorer.classifiers import Classifier
from explorer.engine import chunk_size, gradient_model

SAMPLING_INTERVAL = 0.002  # seconds between two readings of a process's memory
STEPS = 2


@dataclass(frozen=True)
class Memory:
    """``peak`` bytes that attacking a batch took beyond those used before.

    ``at_once`` is the number of images in one evaluation. ``per_sample`` is the bytes that one of
    them keeps for the backward pass.
    """

    batch: int
    peak: int
    at_once: int
    per_sample: int


def measure_memory(
    classifier: Classifier, setting: Setting, batches: Sequence[int]
) -> tuple[Memory, ...]:
    """The memory of batches of these sizes, the smallest first."""
    attack = PGD(Threat("linf", setting.epsilon), steps=STEPS)
    rows = []
    for batch in sorted(batches):
        images, labels = gallery_images(classifier, batch)
        model, _ = gradient_model(classifier, "auto")
        with PeakMemory(classifier.device) as peak:
            attack(classifier, images, labels)
        pair = images[:2] if batch > 1 else images.expand(2, -1, -1, -1)
        per_sample = model.saved_bytes(pair) - model.saved_bytes(pair[:1])
        rows.append(Memory(batch, peak.bytes, chunk_size(model, images), per_sample))
    return tuple(rows)


class PeakMemory:
    """The most memory that a ``with`` block used beyond what was used when it began, in ``bytes``.

    On a GPU this is torch's own count, on a CPU the resident memory of the process, which is read
    every few milliseconds and when the block ends.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.bytes = device, 0
        self._process, self._ended = psutil.Process(), threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> PeakMemory:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            self._before = torch.cuda.memory_allocated(self.device)
        else:
            _return_free_memory()
            self._before = self._process.memory_info().rss
            self._sampler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.device.type == "cuda":
            self.bytes = torch.cuda.max_memory_allocated(self.device) - self._before
        else:
            self._ended.set()
            self._sampler.join()
            self._read()

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLING_INTERVAL):
            self._read()

    def _read(self) -> None:
        self.bytes = max(self.bytes, self._process.memory_info().rss - self._before)


def _return_free_memory() -> None:
    """Make glibc return free memory, in which what the block takes would otherwise be hidden."""
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
