"""The fast engine: a frozen copy of a classifier with its batch norms folded away, channels last, in bfloat16, on a CPU with its
convolutions packed (:mod:`explorer.attacks.packed`).

Only what climbs uses it. Success is decided by the classifier itself, in float32. Whether the copy pays is measured, once per
classifier and process: on a CPU without bfloat16 units it loses.
"""

from __future__ import annotations

import copy
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from explorer.attacks.packed import PackedConv, pack
from explorer.classifiers import Classifier

GAIN = 1.2  # how many times as fast the copy must be before it is worth a second set of weights
ROUNDS = 10
LEAST_WORK = 10_000_000  # multiplications in one image's convolutions: less has nothing to gain, and is too quick to be timed
SMALL = 3 * 64 * 64  # values in a batch
COSINE = 0.8  # the least agreement of the copy's input gradient with the original's, on noise: rounding leaves 0.89 of GoogLeNet's


@contextmanager
def threads_for(images: Tensor, copies: int = 1) -> Iterator[None]:
    """One CPU thread while the batch is so small that handing work from thread to thread costs more than it saves: 40 steps on one
    64×64 image took 0.29 s with one and 0.46 s with two."""
    before = torch.get_num_threads()
    if images.device.type != "cpu" or copies * images.numel() > SMALL or before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Copy(nn.Module):
    """The copy, fed and read in the classifier's own types."""

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.module, self.dtype = module, dtype

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.module(self._fed(images))
        return logits.float()

    def _fed(self, images: Tensor) -> Tensor:
        return images.to(self.dtype, memory_format=torch.channels_last)  # both in one pass


class _CopyWithFeatures(_Copy):
    """The same for a module with a ``features`` method of its own."""

    def features(self, images: Tensor) -> Tensor:
        features: Tensor = self.module.features(self._fed(images))  # type: ignore[operator]
        return features.float()


def prepare(classifier: Classifier, dtype: torch.dtype, packed: bool = False) -> Classifier:
    """A frozen copy of ``classifier`` in ``dtype`` with batch norms folded into the convolutions before them and, if asked, its
    convolutions packed. The original is left as it is. Raises what the module raises when it can't be copied so."""
    module = copy.deepcopy(classifier.module).eval().requires_grad_(False)
    fold_batch_norms(module)
    module = module.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if packed:
        module = pack(module, _noise(classifier, 1).to(dtype).contiguous(memory_format=torch.channels_last))
    own = getattr(module, "features", None)
    wrap = _CopyWithFeatures if callable(own) and not isinstance(own, nn.Module) else _Copy
    return classifier.with_module(wrap(module, dtype))


@torch.no_grad()
def fold_batch_norms(module: nn.Module) -> int:
    """Fold, in place, each batch norm into the convolution that alone feeds it; returns how many were folded.

    A max pool may stand between them where the norm's scale is positive, since both then commute. A module that can't be traced
    is left as it is.
    """
    try:
        graph = fx.Tracer().trace(module)
    except Exception:  # tracing runs the user's own code on stand-ins, which may fail in any way
        return 0
    parts = dict(module.named_modules())
    calls: dict[str, int] = {}
    for node in graph.nodes:
        if node.op == "call_module":
            calls[str(node.target)] = calls.get(str(node.target), 0) + 1
    folded = 0
    for node in graph.nodes:
        norm = parts.get(str(node.target)) if node.op == "call_module" else None
        if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None or norm.running_var is None:
            continue
        rising = norm.weight is None or bool((norm.weight > 0).all())
        source = node.args[0]
        if isinstance(parts.get(str(source.target)), nn.MaxPool2d) and rising and len(source.users) == 1:
            source = source.args[0]
        convolution = parts.get(str(source.target)) if source.op == "call_module" else None
        if not isinstance(convolution, nn.Conv2d) or len(source.users) > 1:
            continue
        if calls[str(source.target)] > 1 or calls[str(node.target)] > 1:
            continue
        module.set_submodule(str(source.target), fuse_conv_bn_eval(convolution, norm))
        module.set_submodule(str(node.target), nn.Identity())
        folded += 1
    return folded


@dataclass
class _Form:
    """What is known of a classifier's copy. ``version`` says which weights it was made from."""

    version: int
    copy: Classifier | None  # None where no copy agrees with the original
    pays: bool | None = None  # None until measured


_forms: weakref.WeakKeyDictionary[Classifier, _Form] = weakref.WeakKeyDictionary()
_lock = threading.Lock()


def at_precision(classifier: Classifier, precision: str) -> tuple[Classifier, str]:
    """The form of ``classifier`` to climb with, and its precision: "auto" becomes "bfloat16" where that is quicker on this
    machine, else "float32"; so does "bfloat16" where the copy's gradients do not agree with the classifier's."""
    if precision == "float32" or (precision == "auto" and not _may_pay(classifier)):
        return classifier, "float32"
    with _lock:
        form = _form(classifier)
        if form.copy is not None and precision == "auto" and form.pays is None:
            form.pays = _work(form.copy) >= LEAST_WORK and _gain(classifier, form.copy) >= GAIN
    if form.copy is None or (precision == "auto" and not form.pays):
        return classifier, "float32"
    return form.copy, "bfloat16"


def _form(classifier: Classifier) -> _Form:
    """The copy that belongs to the classifier's present weights."""
    tensors = classifier.module.state_dict(keep_vars=True).values()
    version = sum(0 if tensor.is_inference() else tensor._version for tensor in tensors)
    form = _forms.get(classifier)
    if form is None or form.version != version:
        form = _forms[classifier] = _Form(version, _agreeing_copy(classifier))
    return form


def _may_pay(classifier: Classifier) -> bool:
    """Whether a bfloat16 copy is worth trying: convolutions, on hardware with bfloat16 units."""
    if not any(isinstance(part, nn.Conv2d) for part in classifier.module.modules()):
        return False
    if classifier.device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return classifier.device.type == "cpu" and bool(
        torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def _noise(classifier: Classifier, n: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.rand((n, 3, *classifier.input_size), generator=generator).to(classifier.device)


def _gradient(classifier: Classifier, images: Tensor) -> Tensor:
    point = images.detach().requires_grad_(True)
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(classifier(point).logsumexp(dim=1).sum(), point)
    return gradient


def _agreeing_copy(classifier: Classifier) -> Classifier | None:
    """The quickest copy that can be made and whose gradients point where the original's do."""
    images = _noise(classifier, 2)
    for packed in (True, False) if classifier.device.type == "cpu" else (False,):
        try:
            copied = prepare(classifier, torch.bfloat16, packed)
            ours, theirs = _gradient(copied, images), _gradient(classifier, images)
        except Exception:  # a user's module may fail in any way in another type or form; the original serves then
            continue
        if float(nn.functional.cosine_similarity(ours.flatten(1), theirs.flatten(1)).min()) >= COSINE:
            return copied
    return None


def _work(copied: Classifier) -> int:
    """The multiplications in the convolutions of one image. Asked of the copy before anybody else has it: hooks are seen by all."""
    counts: list[int] = []

    def count(part: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(part, nn.Conv2d | PackedConv)
        counts.append(part.weight.numel() * output.shape[2] * output.shape[3])

    handles = [part.register_forward_hook(count) for part in copied.module.modules() if isinstance(part, nn.Conv2d | PackedConv)]
    try:
        with torch.no_grad():
            copied(_noise(copied, 1))
    finally:
        for handle in handles:
            handle.remove()
    return sum(counts)


def _gain(classifier: Classifier, copied: Classifier) -> float:
    """How many times as fast the copy's gradient is at batch 1: the least of interleaved rounds for each, of at most ROUNDS, since a
    busy machine slows either at random."""
    images = _noise(classifier, 1)
    ours, theirs = float("inf"), float("inf")
    for done in range(ROUNDS):
        theirs, ours = min(theirs, _seconds(classifier, images)), min(ours, _seconds(copied, images))
        if done >= 2 and theirs / ours >= GAIN:
            break
    return theirs / ours


def _seconds(classifier: Classifier, images: Tensor) -> float:
    started = time.perf_counter()
    float(_gradient(classifier, images).sum())  # waits for the device
    return time.perf_counter() - started
