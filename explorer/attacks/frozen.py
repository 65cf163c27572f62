"""Frozen copies of a classifier, made to be climbed with: batch norms folded away, channels last, in another type; on a CPU as a
:class:`~explorer.attacks.tape.Tape` with packed convolutions."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from explorer.attacks.tape import Tape
from explorer.attacks.taping import NotTaped, Packed, tape_of
from explorer.classifiers import Classifier, ClassifierError


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


class Taped(_Copy):
    """The copy as tapes: of its logits, and of its features where it has any. ``work``: multiplications in the convolutions of one image."""

    def __init__(self, classifier: Classifier, dtype: torch.dtype) -> None:
        super().__init__(classifier.module, dtype)
        self._plain = classifier.with_module(self.module, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
        packed = Packed()
        images = self._fed(noise(classifier, 1))
        self._logits = tape_of(self.module, images, packed)
        self.work = sum(part.work for part in packed.values())
        self._features: Tape | None = None
        try:
            ends = None if _has_features(self.module) else classifier.head()
            self._features = tape_of(self.module if ends else _Features(self.module), images, packed, ends)
        except (ClassifierError, NotTaped):
            pass  # whoever asks for them gets them, or is told why there are none

    def forward(self, images: Tensor) -> Tensor:
        return self._logits(self._fed(images)).float()

    def features(self, images: Tensor) -> Tensor:
        if self._features is None:
            return self._plain.features(self._fed(images))
        found = self._features(self._fed(images)).float()
        return found.mean(dim=(2, 3)) if found.dim() == 4 and not _has_features(self.module) else found


class _Features(nn.Module):
    """A module's ``features`` method as a module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.module.features(images)  # type: ignore[operator]
        return features


def _has_features(module: nn.Module) -> bool:
    own = getattr(module, "features", None)
    return callable(own) and not isinstance(own, nn.Module)


def noise(classifier: Classifier, n: int) -> Tensor:
    """Images [n, 3, H, W] of uniform noise, always the same."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand((n, 3, *classifier.input_size), generator=generator).to(classifier.device)


def prepare(classifier: Classifier, dtype: torch.dtype, taped: bool = False) -> Classifier:
    """A frozen copy of ``classifier`` in ``dtype`` with batch norms folded into the convolutions before them and its normalisation's
    scale into the first; if asked, as a tape. The original is left as it is. Raises what the module raises when it can't be
    copied so."""
    module = copy.deepcopy(classifier.module).eval().requires_grad_(False)
    fold_batch_norms(module)
    bare = classifier.with_module(module, std=(1.0, 1.0, 1.0)) if _fold_scale(module, classifier.std) else classifier.with_module(module)
    module.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if taped:
        return bare.with_module(Taped(bare, dtype))
    return bare.with_module((_CopyWithFeatures if _has_features(module) else _Copy)(module, dtype))


@torch.no_grad()
def _fold_scale(module: nn.Module, std: tuple[float, ...]) -> bool:
    """Divide by ``std`` in the weights of the convolutions that alone are given the images, in place; False where others are too."""
    try:
        firsts = {frozenset(_first_convolutions(module))}
        if _has_features(module):
            firsts.add(frozenset(_first_convolutions(_Features(module))))
    except Exception:  # tracing runs the user's own code on stand-ins, which may fail in any way
        return False
    if len(firsts) > 1 or None in (convolutions := firsts.pop()):
        return False
    for convolution in convolutions:
        assert convolution is not None
        convolution.weight.div_(convolution.weight.new_tensor(std).view(1, 3, 1, 1))
    return True


def _first_convolutions(module: nn.Module) -> Iterator[nn.Conv2d | None]:
    """Those that take the images, None for anything else that does, or for one that is called again."""
    graph = fx.Tracer().trace(module)
    parts = dict(module.named_modules())
    calls = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    for node in graph.nodes:
        if node.op == "placeholder":
            for user in node.users:
                part = parts.get(str(user.target)) if user.op == "call_module" and calls.count(str(user.target)) == 1 else None
                yield part if isinstance(part, nn.Conv2d) and part.groups == 1 and part.padding_mode == "zeros" else None


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
