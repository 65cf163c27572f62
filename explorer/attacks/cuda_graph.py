"""Attacks on a GPU whose every step is one CUDA graph, where a person turns that on.

At small batches a step is hundreds of kernels of a few microseconds, and starting them one by one
costs more than running them. A graph needs fixed addresses and no word from the host: so an attack
of a known shape has tensors of its own, into which each attack is copied, and its trace is written
where a counter on the device says. Graphs are kept for the next attack of the same shape, which on
a page is the next move of a slider.

Measured on an H200, 40 steps on one image: 18 ms instead of 120 on a network for CIFAR-10, 64 ms
instead of 323 with ResNet-50. Any exception while a graph is captured leaves the attack to the
plain loop, which ``EXPLORER_GRAPHS=0`` prescribes for all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from explorer.attacks.loop import AttackBatch, AttackModels, Callbacks
from explorer.attacks.momentum import Momentum, lookahead
from explorer.attacks.objective import Objective
from explorer.attacks.recorder import TraceRecorder
from explorer.attacks.settings import MOMENTUM, AttackSettings
from explorer.attacks.threat import Threat, per_sample
from explorer.attacks.trace import Trace
from explorer.engine import chunk_size
from explorer.settings import GRAPHS

MAX_GRAPHS = 8  # per network: one for each batch size and kind of attack tried in turn
MAX_RECORDED = 2**27  # numbers in the trace of one attack; half a gigabyte
WARM_UP = 3  # steps before capture, in which libraries choose their kernels
PATIENCE = 0.25  # seconds to wait for a graph in use: longer than most attacks with one take
REPORT_INTERVAL = 0.05  # seconds between two calls of on_step, each of which waits for the device

_LOGGER = logging.getLogger(__name__)

Capture = Callable[[Callable[[], None], torch.device], Callable[[], None]]
"""Given a function without arguments: one that does the same again, on the same tensors."""


def capture(step: Callable[[], None], device: torch.device) -> Callable[[], None]:
    """``step`` as a CUDA graph. Raises ``RuntimeError`` where it does what a graph can't."""
    side = torch.cuda.Stream(device)
    side.wait_stream(torch.cuda.current_stream(device))
    with torch.cuda.stream(side):
        for _ in range(WARM_UP):
            step()
    torch.cuda.current_stream(device).wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    # "thread_local": what other threads do on the device meanwhile is not captured.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        step()
    return graph.replay


class GraphAttack:
    """Attacks of one shape: M rows, as many steps as :func:`_capacity` says, one rule and loss."""

    def __init__(
        self,
        settings: AttackSettings,
        models: AttackModels,
        batch: AttackBatch,
        frames: bool = False,
        captured: Capture = capture,
    ) -> None:
        images, device = batch.images, batch.images.device
        self._surrogate = models.surrogate
        objective, bounds = batch.objective, batch.bounds
        targets = None if objective.targets is None else objective.targets.clone()
        self._batch = AttackBatch(
            images.clone(),
            Objective(objective.loss, objective.labels.clone(), targets),
            Threat(batch.threat.norm, torch.zeros(len(images), device=device)),
            per_sample(torch.ones(len(images), device=device), images).contiguous(),
            None if bounds is None else (bounds[0].clone(), bounds[1].clone()),
        )
        self._images = images.clone()
        self._momentum = Momentum.at(images) if settings.rule == MOMENTUM else None
        self._step_number = torch.zeros(1, dtype=torch.int64, device=device)
        samples, classes = len(images) // settings.restarts, len(models.classifier.labels)
        capacity = _capacity(settings)
        # Computed here, as the loop does: a division on the device rounds in another way.
        scales = [settings.step_scale(step) for step in range(capacity + 1)]
        self._step_scales = torch.tensor(scales, dtype=torch.float32, device=device)
        shares = [lookahead(step) for step in range(capacity + 1)]
        self._shares = torch.tensor(shares, dtype=torch.float32, device=device)
        self.trace = TraceRecorder(capacity, images, classes, samples, settings.keep, frames)
        self.trace.best = images.clone()
        self._lock = threading.Lock()
        self.load(settings, batch, images)
        self.replay = captured(self._step, device)

    def run(
        self,
        settings: AttackSettings,
        models: AttackModels,
        batch: AttackBatch,
        start: Tensor,
        callbacks: Callbacks,
    ) -> tuple[Tensor, Trace]:
        """The attack from ``start`` [M, 3, H, W]: what :meth:`TraceRecorder.finish` returns."""
        steps, last_report = settings.steps, time.monotonic()
        try:
            self.load(settings, batch, start)
            for step in range(steps):
                callbacks.check_cancelled()
                self.replay()
                due = step == steps - 1 or time.monotonic() - last_report > REPORT_INTERVAL
                if callbacks.on_step is not None and due:
                    callbacks.report(step + 1, steps, self.trace.loss[step])
                    last_report = time.monotonic()
            ours, images = self._batch, self._images
            evaluation = models.last_evaluation(settings, ours, images)
            success = ours.objective.is_success(evaluation.logits)
            distance = ours.distance(images)
            number = self._step_number
            self.trace.record_on_device(number, images, evaluation, success, distance)
            return self.trace.finish(steps)
        finally:
            self._lock.release()

    def acquire(self) -> bool:
        """Take the graph for the next :meth:`run`; False if another attack goes on using it."""
        return self._lock.acquire(timeout=PATIENCE)

    def load(self, settings: AttackSettings, batch: AttackBatch, start: Tensor) -> None:
        """Begin anew with the values of ``batch``, at ``start`` [M, 3, H, W]."""
        ours = self._batch
        pairs: list[tuple[Tensor | float | None, Tensor | float | None]] = [
            (ours.images, batch.images),
            (ours.objective.labels, batch.objective.labels),
            (ours.objective.targets, batch.objective.targets),
            (ours.threat.epsilon, batch.threat.epsilon),
            (ours.max_step_size, batch.max_step_size),
            (self._images, start),
            *zip(ours.bounds or (), batch.bounds or (), strict=True),
        ]
        for tensor, value in pairs:
            if isinstance(tensor, Tensor) and isinstance(value, Tensor):
                tensor.copy_(value.expand_as(tensor) if value.dim() == tensor.dim() else value)
            elif isinstance(tensor, Tensor):
                tensor.fill_(float(value))  # type: ignore[arg-type]
        if self._momentum is not None:
            self._momentum.restart(start)
        self._step_number.zero_()

    def _step(self) -> None:
        ours, images = self._batch, self._images
        evaluation = ours.objective.evaluate(self._surrogate, images)
        success = ours.objective.is_success(evaluation.logits)
        distance = ours.distance(images)
        self.trace.record_on_device(self._step_number, images, evaluation, success, distance)
        scale = self._step_scales.index_select(0, self._step_number)
        if self._momentum is None:
            moved = ours.step(images, evaluation.required_gradient, scale)
        else:
            share = self._shares.index_select(0, self._step_number)
            moved = self._momentum.step(ours, images, evaluation.required_gradient, scale, share)
        images.copy_(moved)
        self._step_number.add_(1)


class _GraphCache:
    """The graphs of one network, the latest last; None where a graph could not be captured."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._graphs: OrderedDict[Hashable, GraphAttack | None] = OrderedDict()

    def __deepcopy__(self, memo: object) -> _GraphCache:
        """A copy of the network begins without graphs."""
        return _GraphCache()

    def get(
        self, settings: AttackSettings, models: AttackModels, batch: AttackBatch, frames: bool
    ) -> GraphAttack | None:
        key = _key(settings, batch, frames)
        with self._lock:
            if key not in self._graphs:
                self._graphs[key] = verified_graph(settings, models, batch, frames)
                while len(self._graphs) > MAX_GRAPHS:
                    self._graphs.popitem(last=False)
            self._graphs.move_to_end(key)
            return self._graphs[key]


_lock = threading.Lock()


def find(
    settings: AttackSettings,
    models: AttackModels,
    batch: AttackBatch,
    frames: bool,
    callbacks: Callbacks,
) -> GraphAttack | None:
    """The graph for an attack, acquired for one run; None where the plain loop serves."""
    if not GRAPHS.value or batch.images.device.type != "cuda":
        return None
    point = len(batch.images) * len(models.classifier.labels)
    point += batch.images.numel() if frames else 0
    if _capacity(settings) * point > MAX_RECORDED:
        return None
    if settings.stop_on_success or callbacks.on_image is not None:
        return None
    if chunk_size(models.surrogate, batch.images) < len(batch.images):
        return None
    # Kept by the network, which the graphs refer to, so that they go when it goes.
    with _lock:
        cache: _GraphCache = vars(models.surrogate.network).setdefault("_graphs", _GraphCache())
    graph = cache.get(settings, models, batch, frames)
    return graph if graph is not None and graph.acquire() else None


def _key(settings: AttackSettings, batch: AttackBatch, frames: bool) -> Hashable:
    shape = (batch.images.shape, settings.restarts, _capacity(settings), frames)
    steps = (settings.rule, settings.step_size is None)
    kind = (settings.loss, settings.keep, batch.threat.norm, batch.objective.targets is None)
    return (*shape, *steps, *kind)


def _capacity(settings: AttackSettings) -> int:
    """Steps that fit: a power of two, so that a few more need no other graph.

    There is room for the steps that are taken before a capture.
    """
    return max(WARM_UP + 1, 1 << settings.steps.bit_length())


def verified_graph(
    settings: AttackSettings, models: AttackModels, batch: AttackBatch, frames: bool
) -> GraphAttack | None:
    """A graph whose first step agrees with the plain loop's; None where capturing failed."""
    images = batch.images
    try:
        graph = GraphAttack(settings, models, batch, frames)
        graph.load(settings, batch, images)
        graph.replay()
        expected = models.surrogate.logits(images)
        tolerance = 0.05 * float(expected.abs().max())
        same = torch.allclose(graph.trace.logits[0], expected, rtol=0.05, atol=tolerance)
    except Exception:  # a person's module may do anything; what a graph can't do varies as well
        _LOGGER.info("no CUDA graph for this attack; the plain loop serves", exc_info=True)
        return None
    return graph if same else None
