"""The fast engine: which form of a classifier to climb with, itself or a frozen copy (:mod:`explorer.engine.optimized_copy`).

Only what climbs uses the copy. Success is decided by the classifier itself, in float32. Whether a copy pays is measured, once per
classifier and process: on a CPU without bfloat16 units that in bfloat16 loses.
"""

from __future__ import annotations

import threading
import time
import weakref
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.engine.optimized_copy import Taped, noise, prepare

GAIN = 1.2  # how many times as fast the copy must be before it is worth a second set of weights
ROUNDS = 10
LEAST_WORK = 10_000_000  # multiplications in one image's convolutions: less has nothing to gain, and is too quick to be timed
# The type of a copy, and the least agreement of its input gradient with the original's, on noise: rounding to bfloat16 leaves 0.88 of
# GoogLeNet's.
COPIES = {"folded": (torch.float32, 0.999), "bfloat16": (torch.bfloat16, 0.8)}


@dataclass
class _Form:
    """A copy in one precision; None where no such copy agrees with the original."""

    copy: Classifier | None
    pays: bool | None = None  # None until measured


@dataclass
class _Forms:
    """What is known of a classifier's copies. ``version`` says which weights they were made from."""

    version: int
    by_precision: dict[str, _Form] = field(default_factory=dict)


_known: weakref.WeakKeyDictionary[Classifier, _Forms] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def at_precision(classifier: Classifier, precision: str) -> tuple[Classifier, str]:
    """The form of ``classifier`` to climb with, and its precision: "float32" is the classifier itself; "folded" a prepared copy in float32;
    "bfloat16" one in bfloat16; "auto" the first of bfloat16 and folded that is clearly quicker than the classifier on this machine. The
    classifier itself serves where no copy pays, or its gradients do not agree."""
    if precision == "float32":
        return classifier, "float32"
    with _lock:
        forms = _forms(classifier)
        for name in _worth_trying(classifier) if precision == "auto" else (precision,):
            form = forms.by_precision.get(name)
            if form is None:
                form = forms.by_precision[name] = _Form(_agreeing_copy(classifier, name))
            if form.copy is None:
                continue
            if precision == "auto" and form.pays is None:
                form.pays = _work(form.copy) >= LEAST_WORK and _gain(classifier, form.copy) >= GAIN
            if precision != "auto" or form.pays:
                return form.copy, name
    return classifier, "float32"


def _forms(classifier: Classifier) -> _Forms:
    """Those that belong to the classifier's present weights."""
    tensors = classifier.module.state_dict(keep_vars=True).values()
    version = sum(0 if tensor.is_inference() else tensor._version for tensor in tensors)
    forms = _known.get(classifier)
    if forms is None or forms.version != version:
        forms = _known[classifier] = _Forms(version)
    return forms


def _worth_trying(classifier: Classifier) -> tuple[str, ...]:
    """Copies of networks with convolutions; in bfloat16 on hardware that has units for it."""
    if not any(isinstance(part, nn.Conv2d) for part in classifier.module.modules()):
        return ()
    if classifier.device.type == "cuda":
        units = bool(torch.cuda.is_bf16_supported(including_emulation=False))
    else:
        units = bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return ("bfloat16", "folded") if units else ("folded",)


def _gradient(classifier: Classifier, images: Tensor) -> Tensor:
    point = images.detach().requires_grad_(True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(classifier(point).logsumexp(dim=1).sum(), point)
    return gradient


def _agreeing_copy(classifier: Classifier, precision: str) -> Classifier | None:
    """The quickest copy that can be made and whose gradients point where the original's do."""
    dtype, least = COPIES[precision]
    images = noise(classifier, 2)
    for taped in (True, False) if classifier.device.type == "cpu" else (False,):
        try:
            copied = prepare(classifier, dtype, taped)
            ours, theirs = _gradient(copied, images), _gradient(classifier, images)
        except (
            Exception
        ):  # a user's module may fail in any way in another type or form; the original serves then
            continue
        if (
            float(nn.functional.cosine_similarity(ours.flatten(1), theirs.flatten(1)).min())
            >= least
        ):
            return copied
    return None


def _work(copied: Classifier) -> int:
    """The multiplications in the convolutions of one image. Asked of the copy before anybody else has it: hooks are seen by all."""
    if isinstance(copied.module, Taped):
        return copied.module.logits.work
    counts: list[int] = []

    def count(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(part, nn.Conv2d)
        counts.append(part.weight.numel() * output.shape[2] * output.shape[3])

    handles = [
        part.register_forward_hook(count)
        for part in copied.module.modules()
        if isinstance(part, nn.Conv2d)
    ]
    try:
        with torch.no_grad():
            copied(noise(copied, 1))
    finally:
        for handle in handles:
            handle.remove()
    return sum(counts)


def _gain(classifier: Classifier, copied: Classifier) -> float:
    """How many times as fast the copy's gradient is at batch 1: the least of interleaved rounds for each, of at most ROUNDS, since a
    busy machine slows either at random."""
    images = noise(classifier, 1)
    ours, theirs = float("inf"), float("inf")
    for done in range(ROUNDS):
        theirs, ours = (
            min(theirs, _seconds(classifier, images)),
            min(ours, _seconds(copied, images)),
        )
        if done >= 2 and theirs / ours >= GAIN:
            break
    return theirs / ours


def _seconds(classifier: Classifier, images: Tensor) -> float:
    started = time.perf_counter()
    float(_gradient(classifier, images).sum())  # waits for the device
    return time.perf_counter() - started
