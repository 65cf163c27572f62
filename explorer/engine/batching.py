"""Batches in chunks: what fits the free memory, as measured, and on a CPU what is quickest.

Only evaluations are split. An attack, its trace and its report stay those of the whole batch, and
every sample's result stays the same.

The same call gives the same bits in every process, idle or busy. What may change the last bits of
float32 is the number of threads, and a want of memory that leaves room for fewer samples at once
than usual. Neither changes a bit of an evaluation in bfloat16, nor of one image by a network of
less than :data:`SMALL_WORK`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.engine.composition import composition_of
from explorer.engine.gradient_model import AutogradModel, GradientModel
from explorer.engine.pauses import pause
from explorer.engine.strategies import run_quickest
from explorer.engine.threads import run_apart, thread_count
from explorer.system import free_memory

# Bytes kept for a batch that a CPU processes most quickly. In larger batches activations fall out
# of its caches and every step waits for fresh pages: SqueezeNet's gradient takes 8.1 ms per image
# in batches of 16 and 10.2 in batches of 32; a bundled classifier's 1.9 in 128 and 2.3 in 784.
QUICKEST_ON_CPU = 128 * 2**20
MIN_CHUNK = 8  # float32 convolutions give a sample the same bits in every batch of at least 8
# Samples that one thread takes at once in float32, where it can have that many.
THREAD_CHUNK = 16
# Multiplications for one image. A network that needs fewer is evaluated on one thread where more
# would change the bits: it takes a few milliseconds longer.
SMALL_WORK = 250_000_000
# Values in a batch, and in a batch of at most MIN_CHUNK, that are too few to be worth measuring.
UNMEASURED, UNMEASURED_SMALL = 64 * 3 * 32 * 32, MIN_CHUNK * 3 * 224 * 224
MEMORY_SHARE = 0.5  # of what is free
PEAK_FACTOR = 2.0  # bytes at the height of an evaluation, over those kept for the backward pass

R = TypeVar("R", bound=tuple[Any, ...])

_bytes_by_size: weakref.WeakKeyDictionary[nn.Module, dict[torch.Size, int]]
_bytes_by_size = weakref.WeakKeyDictionary()
_small: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()


class _Logits(NamedTuple):
    logits: Tensor


def map_chunks(
    model: GradientModel, images: Tensor, compute: Callable[[slice], R], kind: Hashable
) -> R:
    """``compute(rows)`` for all rows of ``images`` [N, 3, H, W], as one named tuple of tensors.

    ``compute`` evaluates ``model`` at some rows and returns a named tuple whose fields are tensors
    [rows, …] or None. The rows are taken in chunks that fit the memory, by all threads together or
    by each thread apart. Time decides between the two only where both give the same bits. ``kind``
    is equal for calls that take about the same time per sample.
    """
    n, size = len(images), chunk_size(model, images)

    def chunks(each: int) -> list[Callable[[], R]]:
        return [partial(compute, slice(first, first + each)) for first in range(0, n, each)]

    def in_turn() -> R:
        return _joined([_after_pause(chunk, n) for n, chunk in enumerate(chunks(size))])

    whole = in_turn if size < n else partial(compute, slice(0, n))
    if images.device.type != "cpu":
        return whole()
    if not model.is_concurrent:
        with thread_count(1 if n == 1 and _is_small(model) else None):
            return whole()
    if model.is_batch_invariant or n == 1:
        # An attack that leaves fooled samples alone comes with another number of them in every
        # step.
        key = (kind, n.bit_length(), images.shape[1:])
        rounds = -(-n // size)
        return run_quickest(
            model,
            key,
            n,
            whole,
            lambda threads: chunks(-(-n // (threads * rounds))),
            _joined,
            _bitwise_equal,
            prefer_parts=n == 1 and _is_small(model),
        )
    if n < 2 * THREAD_CHUNK:
        return whole()
    return _joined(run_apart(chunks(min(size, -(-n // (n // THREAD_CHUNK))))))


def _after_pause(chunk: Callable[[], R], number: int) -> R:
    if number:
        pause()
    return chunk()


def _is_small(model: GradientModel) -> bool:
    """Whether one thread is quick enough for one image: see :data:`SMALL_WORK`."""
    network = model.network
    if network not in _small:
        _small[network] = 0 < composition_of(network).total < SMALL_WORK
    return _small[network]


def logits_of(classifier: Classifier, images: Tensor) -> Tensor:
    """The classifier's own logits, float32 [N, C], without a gradient."""
    model = AutogradModel(classifier)
    return map_chunks(
        model, images, lambda rows: _Logits(model.logits(images[rows])), kind="logits"
    ).logits


def chunk_size(model: GradientModel, images: Tensor) -> int:
    """How many of ``images`` [N, 3, H, W] to evaluate at once, with the gradient; 1 to N."""
    n = len(images)
    unmeasured = UNMEASURED_SMALL if n <= MIN_CHUNK else UNMEASURED
    if n == 1 or images.numel() <= unmeasured:
        return n
    each = max(1, bytes_per_sample(model, images))
    on_cpu = images.device.type == "cpu"
    quickest = max(MIN_CHUNK, QUICKEST_ON_CPU // each) if on_cpu else n
    fitting = int(MEMORY_SHARE * _free(images.device) / (PEAK_FACTOR * each))
    count = -(-n // max(1, min(n, quickest, fitting)))
    return -(-n // count)  # equal chunks: a small rest would use other kernels


def bytes_per_sample(model: GradientModel, images: Tensor) -> int:
    """Bytes of activations kept for one more sample like ``images`` [N, 3, H, W], N ≥ 2.

    They are measured once per network and size.
    """
    known = _bytes_by_size.setdefault(model.network, {})
    size = images.shape[1:]
    if size not in known:
        known[size] = model.saved_bytes(images[:2]) - model.saved_bytes(images[:1])
    return known[size]


def _joined(parts: Sequence[R]) -> R:
    """Named tuples of tensors as one, field by field."""
    if len(parts) == 1:
        return parts[0]
    fields = zip(*parts, strict=True)
    joined = [None if values[0] is None else torch.cat(values) for values in fields]
    make: Callable[..., R] = type(parts[0])
    return make(*joined)


def _bitwise_equal(one: R, other: R) -> bool:
    """Whether two named tuples of tensors are the same to the bit."""
    return all(
        a is b if a is None or b is None else torch.equal(a, b)
        for a, b in zip(one, other, strict=True)
    )


def _free(device: torch.device) -> int:
    """Bytes free on ``device``, with those that torch holds there without using them."""
    cached = 0
    if device.type == "cuda":
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return free_memory(device) + cached
