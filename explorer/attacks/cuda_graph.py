"""Walks on a GPU whose every step is one CUDA graph: at small batches a step is hundreds of kernels of a few microseconds, and starting
them one by one costs more than running them.

A graph wants fixed addresses and no word from the host. So a walk of a known shape has tensors of its own, which each attack is copied
into, and its numbers are written where a counter on the device says. Graphs are kept for the next attack of the same shape, which on a
page is the next move of a slider.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from explorer.attacks.loop import Callbacks, Walk, Walkers, length_of, succeeds
from explorer.attacks.objective import Eye, Sight
from explorer.attacks.threat import Threat, per_sample
from explorer.attacks.trace import Recorder
from explorer.engine.batching import samples_at_once
from explorer.errors import Cancelled

if TYPE_CHECKING:
    from explorer.attacks.pgd import PGD

KEPT = (
    8  # graphs per classifier: one for each size of batch and kind of attack that is tried in turn
)
MOST_NUMBERS = 2**27  # logits written down in one walk; half a gigabyte
WARM_UP = 3  # steps before capture, in which libraries choose their kernels
TOLD_EVERY = 0.05  # seconds between two words on how far it is: each waits for the device

Capture = Callable[[Callable[[], None], torch.device], Callable[[], None]]
"""Given a function of no arguments: one that does the same again, on the same tensors."""


def captured(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """``step`` as a CUDA graph. Raises ``RuntimeError`` where it does what a graph can't."""
    side = torch.cuda.Stream(device)
    side.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream(device).wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(
        graph, capture_error_mode="thread_local"
    ):  # what other threads do at the same time is theirs
        step()
    return graph.replay


class Replayed:
    """Walks of one shape on ``walk``'s classifier: M of them, as long as :func:`_room` says."""

    def __init__(self, walk: Walk, capture: Capture) -> None:
        self.attack, given = walk.attack, walk.all
        m, device = len(given.images), given.images.device
        epsilon = torch.zeros(m, device=device)
        targets = None if given.eye.targets is None else given.eye.targets.clone()
        eye = Eye(given.eye.classifier, given.eye.loss, given.eye.labels.clone(), targets)
        walls = None if given.walls is None else (given.walls[0].clone(), given.walls[1].clone())
        length = per_sample(torch.ones(m, device=device), given.images).contiguous()
        self.walkers = Walkers(
            given.images.clone(), eye, Threat(given.threat.norm, epsilon), length, walls
        )
        self.point, self.best = given.images.clone(), given.images.clone()
        self.at = torch.zeros(1, dtype=torch.int64, device=device)
        self.share = torch.ones((), device=device)
        classes, room = len(eye.classifier.labels), _room(walk)
        empty = {"loss": (), "logits": (classes,), "success": (), "norm": (), "distance": ()}
        self.numbers = {
            name: torch.zeros(
                room,
                m,
                *more,
                dtype=torch.bool if name == "success" else torch.float32,
                device=device,
            )
            for name, more in empty.items()
        }
        self.best_success, self.best_loss = (
            torch.zeros(m, dtype=torch.bool, device=device),
            torch.zeros(m, device=device),
        )
        self.best_at = torch.zeros(m, dtype=torch.int64, device=device)
        self.lock = threading.Lock()
        self._fill(walk, given.images)
        self.step = capture(self._step, device)

    def go(self, walk: Walk, point: Tensor, recorder: Recorder, told: Callbacks) -> None:
        """The walk from ``point`` [M, 3, H, W], as :meth:`Walk.go` does it."""
        steps, last_word = walk.attack.steps, time.monotonic()
        with self.lock:
            self._fill(walk, point)
            for step in range(steps):
                if told.cancelled is not None and told.cancelled():
                    raise Cancelled
                self.step()
                if told.on_step is not None and (
                    step == steps - 1 or time.monotonic() - last_word > TOLD_EVERY
                ):
                    told.on_step(step + 1, steps, float(self.numbers["loss"][step].mean()))
                    last_word = time.monotonic()
            self._record(walk.look(self.walkers, self.point, last=True))
            numbers = {
                name: values[: steps + (name != "norm")].clone()
                for name, values in self.numbers.items()
            }
            recorder.take(
                numbers,
                self.best.clone(),
                self.best_success.clone(),
                self.best_loss.clone(),
                self.best_at.clone(),
            )

    def _fill(self, walk: Walk, point: Tensor) -> None:
        """Begin anew with the values of ``walk``."""
        given, ours = walk.all, self.walkers
        pairs: list[tuple[Tensor | float | None, Tensor | float | None]] = [
            (ours.images, given.images),
            (ours.eye.labels, given.eye.labels),
            (ours.eye.targets, given.eye.targets),
            (ours.threat.epsilon, given.threat.epsilon),
            (ours.length, given.length),
            (self.point, point),
            *zip(ours.walls or (), given.walls or (), strict=True),
        ]
        for held, value in pairs:
            if isinstance(held, Tensor) and isinstance(value, Tensor):
                held.copy_(value.expand_as(held) if value.dim() == held.dim() else value)
            elif isinstance(held, Tensor):
                held.fill_(float(value))  # type: ignore[arg-type]
        self.at.zero_()
        self.share.fill_(walk.share(0))

    def _step(self) -> None:
        seen = self.walkers.eye.look_at_once(self.point, last=False)
        assert seen.gradient is not None
        self._record(seen)
        self.point.copy_(self.walkers.stepped(self.point, seen.gradient, self.share))
        self.at.add_(1)
        if self.attack.step_size is None:
            self.share.copy_((2.5 / (self.at[0] + 1)).clamp_(max=1.0))

    def _record(self, seen: Sight) -> None:
        """What :meth:`Recorder.add` does, on fixed tensors."""
        success = succeeds(seen.logits, self.walkers.eye.labels, self.walkers.eye.targets)
        found = {
            "loss": seen.value,
            "logits": seen.logits,
            "success": success,
            "distance": self.walkers.distance(self.point),
        }
        if seen.gradient is not None:
            found["norm"] = seen.slope * length_of(seen.gradient)
        for name, value in found.items():
            self.numbers[name].index_copy_(0, self.at, value[None])
        better = (success & ~self.best_success) | (
            (success == self.best_success) & (seen.value > self.best_loss)
        )
        better = better | (self.at == 0) if self.attack.keep == "best" else torch.ones_like(better)
        self.best.copy_(torch.where(better[:, None, None, None], self.point, self.best))
        self.best_success.copy_(torch.where(better, success, self.best_success))
        self.best_loss.copy_(torch.where(better, seen.value, self.best_loss))
        self.best_at.copy_(torch.where(better, self.at, self.best_at))


class _Shelf:
    """The walks of one classifier, the latest last; None where a graph can't be had."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.walks: OrderedDict[Hashable, Replayed | None] = OrderedDict()

    def get(self, walk: Walk) -> Replayed | None:
        key = _key(walk)
        with self.lock:
            if key not in self.walks:
                self.walks[key] = _replayed(walk)
                while len(self.walks) > KEPT:
                    self.walks.popitem(last=False)
            self.walks.move_to_end(key)
            return self.walks[key]


_lock = threading.Lock()


def replayed(walk: Walk, recorder: Recorder, told: Callbacks) -> Replayed | None:
    """The graph to walk with; None where a walk is better taken step by step."""
    given = walk.all
    if (
        os.environ.get("EXPLORER_GRAPHS") == "0"
        or _room(walk) * len(given.images) * len(given.eye.classifier.labels) > MOST_NUMBERS
    ):
        return None
    if (
        given.images.device.type != "cuda"
        or walk.attack.until != "end"
        or recorder.frames
        or told.on_image is not None
    ):
        return None
    if samples_at_once(given.eye.classifier, given.images) < len(given.images):
        return None
    with _lock:  # kept with the classifier, which they refer to, so that they go when it goes
        shelf: _Shelf = vars(given.eye.classifier).setdefault("_walks", _Shelf())
    return shelf.get(walk)


def _key(walk: Walk) -> Hashable:
    attack: PGD = walk.attack
    given = walk.all
    return (
        given.images.shape,
        _room(walk),
        attack.step_size is None,
        attack.loss,
        attack.keep,
        given.threat.norm,
        given.eye.targets is None,
    )


def _room(walk: Walk) -> int:
    """Points that fit: a power of two, so that a few more steps need no other graph."""
    return 1 << walk.attack.steps.bit_length()


def _replayed(walk: Walk) -> Replayed | None:
    """A graph whose first step has been found to be the walk's own; None where it could not be captured."""
    point = walk.all.images
    try:
        made = Replayed(walk, captured)
        made._fill(walk, point)
        made.step()
        seen = walk.all.eye.look_at_once(point, last=True)
        same = torch.allclose(
            made.numbers["logits"][0],
            seen.logits,
            rtol=0.05,
            atol=0.05 * float(seen.logits.abs().max()),
        )
    except (
        RuntimeError
    ):  # a user's module may do anything, and what a graph can't do it says in no other way
        return None
    return made if same else None
