"""Which form of a classifier gives an attack its gradients: itself or an optimized copy.

Only gradients come from a copy. Success is decided by the classifier itself, in float32. Whether a
copy pays is measured once per classifier and process: in bfloat16 it loses on a CPU without units
for that type.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Hashable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier
from explorer.classifiers.weights_version import weights_version
from explorer.engine.gradient_model import AutogradModel, GradientModel
from explorer.engine.optimized_copy import noise, optimized_copy, with_channels_last
from explorer.engine.tape_model import TapeModel

_LOGGER = logging.getLogger(__name__)

PRECISIONS = ("auto", "float32", "folded", "bfloat16")
MIN_GAIN = 1.2  # how many times as fast a copy must be to be worth a second set of weights
ROUNDS = 10
# Multiplications in one image's convolutions. Less work has nothing to gain, and is too quick to
# be timed.
MIN_WORK = 10_000_000
# The type of a copy, and the least agreement (cosine) of its input gradient with the original's on
# noise: rounding to bfloat16 leaves 0.88 of GoogLeNet's.
COPIES = {"folded": (torch.float32, 0.999), "bfloat16": (torch.bfloat16, 0.8)}


@dataclass
class _Form:
    """A copy in one precision; ``model`` is None where no such copy agrees with the original."""

    model: GradientModel | None
    work: int = 0
    pays: bool | None = None  # None until it is measured


@dataclass
class _Forms:
    """A classifier's copies, made from its weights of ``version``."""

    version: Hashable
    by_precision: dict[str, _Form] = field(default_factory=dict)


_forms_of: weakref.WeakKeyDictionary[Classifier, _Forms] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def gradient_model(classifier: Classifier, precision: str = "auto") -> tuple[GradientModel, str]:
    """The form of ``classifier`` that gives gradients in ``precision``, and its precision.

    "float32" is the classifier itself, "folded" an optimized copy in float32, "bfloat16" one in
    bfloat16; "auto" is the first of bfloat16 and folded that is clearly quicker than the classifier
    on this machine. The classifier itself serves where no copy pays or agrees with it.
    """
    original = AutogradModel(classifier)
    if precision == "float32":
        return original, "float32"
    with _lock:
        forms = _current_forms(classifier)
        names = _candidates(classifier) if precision == "auto" else (precision,)
        for name in names:
            form = forms.by_precision.get(name)
            if form is None:
                form = forms.by_precision[name] = _agreeing_copy(classifier, name)
            if form.model is None:
                continue
            if precision == "auto" and form.pays is None:
                images = noise(classifier, 1)
                enough_work = form.work >= MIN_WORK
                form.pays = enough_work and _gain(original, form.model, images) >= MIN_GAIN
            if precision != "auto" or form.pays:
                return form.model, name
    return original, "float32"


def _current_forms(classifier: Classifier) -> _Forms:
    """Those made from the classifier's present weights."""
    version = weights_version(classifier.module)
    forms = _forms_of.get(classifier)
    if forms is None or forms.version != version:
        forms = _forms_of[classifier] = _Forms(version)
    return forms


def _candidates(classifier: Classifier) -> tuple[str, ...]:
    """The copies worth a try: of networks with convolutions, in bfloat16 where it has units."""
    if not any(isinstance(part, nn.Conv2d) for part in classifier.module.modules()):
        return ()
    if classifier.device.type == "cuda":
        has_units = bool(torch.cuda.is_bf16_supported(including_emulation=False))
    else:
        avx512, amx = torch.cpu._is_avx512_bf16_supported(), torch.cpu._is_amx_tile_supported()
        has_units = bool(avx512 or amx)
    return ("bfloat16", "folded") if has_units else ("folded",)


def _gradient(model: GradientModel, images: Tensor) -> Tensor:
    """The gradient of Σ logsumexp(logits), float32 [N, 3, H, W]."""
    logits, vjp = model.logits_vjp(images)
    return vjp(logits.softmax(dim=1))


def _agreeing_copy(classifier: Classifier, precision: str) -> _Form:
    """The quickest copy that can be made and whose gradients agree with the original's."""
    dtype, least = COPIES[precision]
    images = noise(classifier, 2)
    for as_tape in (True, False) if classifier.device.type == "cpu" else (False,):
        try:
            model, work = _copy(classifier, dtype, as_tape)
            ours = _gradient(model, images).flatten(1)
            theirs = _gradient(AutogradModel(classifier), images).flatten(1)
        except Exception:  # a person's module may fail in any way in another type or form
            _LOGGER.info("no %s copy of %s", precision, classifier.name, exc_info=True)
            continue
        if float(nn.functional.cosine_similarity(ours, theirs).min()) >= least:
            return _Form(model, work)
    return _Form(None)


def _copy(classifier: Classifier, dtype: torch.dtype, as_tape: bool) -> tuple[GradientModel, int]:
    """A copy, and the multiplications in the convolutions of one image."""
    optimized = optimized_copy(classifier, dtype)
    if as_tape:
        tape_model = TapeModel(optimized)
        return tape_model, tape_model.work
    wrapped = with_channels_last(optimized)
    return AutogradModel(wrapped), _convolution_work(wrapped)


def _convolution_work(copied: Classifier) -> int:
    """Measured before other threads have the copy: its hooks would be visible to them."""
    counts: list[int] = []

    def count(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(part, nn.Conv2d)
        counts.append(part.weight.numel() * output.shape[2] * output.shape[3])

    convolutions = [part for part in copied.module.modules() if isinstance(part, nn.Conv2d)]
    handles = [part.register_forward_hook(count) for part in convolutions]
    try:
        with torch.no_grad():
            copied(noise(copied, 1))
    finally:
        for handle in handles:
            handle.remove()
    return sum(counts)


def _gain(original: GradientModel, copied: GradientModel, images: Tensor) -> float:
    """How many times as fast the copy's gradient is.

    It compares the least of interleaved rounds, since a busy machine slows either at random.
    """
    ours, theirs = float("inf"), float("inf")
    for completed in range(ROUNDS):
        theirs = min(theirs, _seconds(original, images))
        ours = min(ours, _seconds(copied, images))
        if completed >= 2 and theirs / ours >= MIN_GAIN:
            break
    return theirs / ours


def _seconds(model: GradientModel, images: Tensor) -> float:
    started = time.perf_counter()
    float(_gradient(model, images).sum())  # waits for the device
    return time.perf_counter() - started
