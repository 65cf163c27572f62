"""What an attack costs as it grows: with more ε, restarts, steps, images, pixels; and how much memory a batch takes."""

from __future__ import annotations

import ctypes
import gc
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from types import TracebackType
from typing import Any

import psutil
import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.attacks import PGD
from explorer.attacks.threat import Threat
from explorer.benchmarks.baselines import Setting
from explorer.benchmarks.speed import interleaved, ratio_of, same_images
from explorer.classifiers import Classifier
from explorer.engine.batching import bytes_per_sample, samples_at_once
from explorer.engine.precision import at_precision

EPSILONS, RESTARTS = 12, 5
SIZES = (0.5, 1.0, 1.5)
SAMPLED_EVERY = 0.002  # seconds between two looks at a process's memory


@dataclass(frozen=True)
class Cost:
    """``seconds`` (median) of an attack with ``value`` of ``what``; ``ratio`` over the first of its kind, quartiles."""

    what: str
    value: float
    seconds: float
    ratio: tuple[float, float, float]


@dataclass(frozen=True)
class Memory:
    """``peak`` bytes that attacking a batch took on top of what was there; how many samples were looked at at once, and what was
    measured beforehand that one of them keeps."""

    batch: int
    peak: int
    at_once: int
    per_sample: int


def costs(
    classifier: Classifier, setting: Setting, rounds: int, batches: Sequence[int]
) -> tuple[Cost, ...]:
    """Every kind, its values interleaved round by round; the first of a kind is an attack to the end."""
    images, labels = same_images(classifier, max(batches))
    one, label = images[:1], labels[:1]
    ladder = torch.linspace(setting.epsilon / EPSILONS, setting.epsilon, EPSILONS)
    size = classifier.input_size
    single, many = (
        _attack(classifier, setting, one, label),
        (one.expand(EPSILONS, -1, -1, -1), label.expand(EPSILONS)),
    )
    kinds: dict[str, dict[float, Callable[[], Tensor]]] = {
        "epsilons": {1: single, EPSILONS: _attack(classifier, setting, *many, epsilon=ladder)},
        "epsilons, until fooled": {
            1: single,
            EPSILONS: _attack(classifier, setting, *many, epsilon=ladder, until="fooled"),
        },
        "restarts": {
            1: single,
            RESTARTS: _attack(classifier, setting, one, label, restarts=RESTARTS),
        },
        "restarts, until fooled": {
            1: single,
            RESTARTS: _attack(classifier, setting, one, label, restarts=RESTARTS, until="fooled"),
        },
        "steps": {n: _attack(classifier, setting, one, label, steps=n) for n in (5, 10, 20, 40)},
        "batch": {n: _attack(classifier, setting, images[:n], labels[:n]) for n in batches},
        "side": {
            round(size[0] * by): _attack(classifier, setting, _resized(one, by), label)
            for by in SIZES
        },
    }
    return tuple(
        cost for what, runs in kinds.items() for cost in _costs(what, runs, one, label, rounds)
    )


def _resized(images: Tensor, by: float) -> Tensor:
    return F.interpolate(images, scale_factor=by, mode="bilinear").clamp(0, 1)


def _attack(
    classifier: Classifier,
    setting: Setting,
    images: Tensor,
    labels: Tensor,
    *,
    epsilon: Tensor | None = None,
    **changed: Any,
) -> Callable[[], Tensor]:
    options = {"steps": setting.steps, **changed}
    attack = PGD(Threat("linf", setting.epsilon if epsilon is None else epsilon), **options)
    return lambda: attack(classifier, images, labels).adversarial


def _costs(
    what: str, runs: dict[float, Callable[[], Tensor]], images: Tensor, labels: Tensor, rounds: int
) -> list[Cost]:
    attacks = {str(value): (lambda *_, run=run: run()) for value, run in runs.items()}
    seconds, _, _ = interleaved(attacks, images, labels, rounds)  # type: ignore[arg-type]
    first = seconds[str(next(iter(runs)))]
    return [
        Cost(what, value, median(seconds[str(value)]), ratio_of(seconds[str(value)], first))
        for value in runs
        if str(value) in seconds
    ]


def memory(classifier: Classifier, setting: Setting, batches: Sequence[int]) -> tuple[Memory, ...]:
    """What batches of these sizes take, the smallest first."""
    found = []
    for batch in sorted(batches):
        images, labels = same_images(classifier, batch)
        climber, _ = at_precision(classifier, "auto")
        run = _attack(classifier, setting, images, labels, steps=2)
        with Peak(classifier.device) as peak:
            run()
        pair = images if batch > 1 else images.expand(2, -1, -1, -1)
        found.append(
            Memory(
                batch, peak.bytes, samples_at_once(climber, images), bytes_per_sample(climber, pair)
            )
        )
    return tuple(found)


class Peak:
    """``bytes`` used at the height of a ``with`` block on top of what was used when it began: on a CPU of the process's resident
    memory, looked at every few milliseconds."""

    def __init__(self, device: torch.device) -> None:
        self.device, self.bytes = device, 0
        self._process, self._over = psutil.Process(), threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)
            self._before = torch.cuda.memory_allocated(self.device)
        else:
            _give_back()
            self._before = self._process.memory_info().rss
            self._watcher.start()
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
            self._over.set()
            self._watcher.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLED_EVERY):
            self.bytes = max(self.bytes, self._process.memory_info().rss - self._before)


def _give_back() -> None:
    """Have glibc return what is free: memory that an earlier attack left with the process would otherwise hide what this one takes."""
    gc.collect()
    with suppress(AttributeError, OSError, TypeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)
