"""Floating-point operations: what a gradient needs, and what the machine can do in a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from explorer.benchmarks.rounds import Clock, synchronize
from explorer.classifiers import Classifier
from explorer.engine import packed_product

MATRIX_SIDES = {"cpu": (1024, 2048), "cuda": (4096, 8192)}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
REPETITIONS = 5


def gradient_flops(classifier: Classifier) -> int:
    """Operations for one image's logits and their gradient at the image, in the classifier."""
    image = torch.full(
        (1, 3, *classifier.input_size), 0.5, device=classifier.device, requires_grad=True
    )
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        # A clone, since the counter can't follow a leaf into the module.
        torch.autograd.grad(classifier(image.clone()).sum(), image)
    return int(counter.get_total_flops())


def matrix_peaks(
    device: torch.device, clock: Clock = time.perf_counter, sides: Sequence[int] | None = None
) -> dict[str, float]:
    """Operations per second in the fastest of some products of square matrices, by type."""
    peaks: dict[str, float] = {}
    for name, dtype in DTYPES.items():
        for side in sides or MATRIX_SIDES[device.type]:
            left, right = torch.randn(2, side, side, device=device).to(dtype).unbind()
            products: list[Callable[[], Tensor]] = [partial(torch.mm, left, right)]
            # Prepacked weights, which the engine uses, can be twice as fast.
            packed = packed_product(left, right)
            if packed is not None:
                products.append(packed)
            for product in products * REPETITIONS:
                synchronize(device)
                start = clock()
                product()
                synchronize(device)
                peaks[name] = max(peaks.get(name, 0.0), 2 * side**3 / (clock() - start))
    return peaks
