"""Frozen copies of a classifier, made to be climbed with: batch norms folded away, channels last, in another type; on a CPU as a
:class:`~explorer.engine.tape.Tape` with packed convolutions."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier, ClassifierError
from explorer.engine.capture import NotTaped, Packed, tape_of
from explorer.engine.folding import fold_batch_norms, fold_prefix, fold_scale
from explorer.engine.operations import Convolution
from explorer.engine.tape import Tape


class _Copy(nn.Module):
    """The copy, fed and read in the classifier's own types."""

    def __init__(self, module: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.module, self.dtype = module, dtype

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.module(self._fed(images))
        return logits.float()

    def _fed(self, images: Tensor) -> Tensor:
        return images.to(self.dtype).contiguous(
            memory_format=torch.channels_last
        )  # on a CPU in 0.4 of the time of both in one pass


class _CopyWithFeatures(_Copy):
    """The same for a module with a ``features`` method of its own."""

    def features(self, images: Tensor) -> Tensor:
        features: Tensor = self.module.features(self._fed(images))  # type: ignore[operator]
        return features.float()


class Taped(_Copy):
    """The copy as tapes: of its logits, and of its features where it has any. ``divisible``: a sample has the same bits in every
    batch; in float32 it has not in small ones."""

    def __init__(self, classifier: Classifier, dtype: torch.dtype) -> None:
        super().__init__(classifier.module, dtype)
        self.divisible = dtype == torch.bfloat16
        self._plain = classifier.with_module(self.module, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
        packed = Packed()
        images = self._fed(noise(classifier, 1))
        self.logits = tape_of(self.module, images, packed)
        self._features: Tape | None = None
        try:
            ends = None if has_features(self.module) else classifier.head()
            self._features = tape_of(
                self.module if ends else Features(self.module), images, packed, ends
            )
        except (ClassifierError, NotTaped):
            pass  # whoever asks for them gets them, or is told why there are none

    def forward(self, images: Tensor) -> Tensor:
        return self._run(self.logits, images)

    def features(self, images: Tensor) -> Tensor:
        if self._features is None:
            return self._plain.features(self._fed(images))
        found = self._run(self._features, images)
        return found.mean(dim=(2, 3)) if self._are_averaged(found) else found

    def _are_averaged(self, found: Tensor) -> bool:
        """Whether features are the means over positions of what their tape ``found``: see :meth:`Classifier.features`."""
        return found.dim() == 4 and not has_features(self.module)

    @property
    def features_are_taped(self) -> bool:
        return self._features is not None

    def look(self, images: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor | None]]:
        """Logits float32 [N, C], and a function that brings a gradient at them back to the images, as :meth:`Tape.look` does."""
        return self._look(self.logits, images)

    def look_at_features(self, images: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor | None]]:
        """The same of features float32 [N, D], where they are taped."""
        assert self._features is not None
        found, back = self._look(self._features, images)
        if not self._are_averaged(found):
            return found.flatten(1), lambda gradient: back(gradient.view_as(found))
        positions = found.shape[2] * found.shape[3]
        return found.mean(dim=(2, 3)), lambda gradient: back(
            (gradient / positions)[:, :, None, None].expand_as(found)
        )

    def _look(self, tape: Tape, images: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor | None]]:
        output, back = tape.look(self._laid_out(tape, images))

        def back_in_float(gradient: Tensor) -> Tensor | None:
            found = back(gradient.to(self.dtype))
            return None if found is None else found.float()

        return output.float(), back_in_float

    def _run(self, tape: Tape, images: Tensor) -> Tensor:
        return tape(self._laid_out(tape, images)).float()

    def _laid_out(self, tape: Tape, images: Tensor) -> Tensor:
        # A packed convolution does it by itself, more quickly.
        packed = isinstance(tape.lines[0].operation, Convolution)
        return images.to(self.dtype) if packed else self._fed(images)


class Features(nn.Module):
    """A module's ``features`` method as a module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.module.features(images)  # type: ignore[operator]
        return features


def has_features(module: nn.Module) -> bool:
    own = getattr(module, "features", None)
    return callable(own) and not isinstance(own, nn.Module)


def noise(classifier: Classifier, n: int) -> Tensor:
    """Images [n, 3, H, W] of uniform noise, always the same."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand((n, 3, *classifier.input_size), generator=generator).to(classifier.device)


def prepare(classifier: Classifier, dtype: torch.dtype, taped: bool = False) -> Classifier:
    """A frozen copy of ``classifier`` in ``dtype`` with batch norms folded into the convolutions before them, its normalisation's
    scale into the first; if asked, as a tape. The original is left as it is. Raises what the module raises when it can't be
    copied so."""
    module = copy.deepcopy(classifier.module).eval().requires_grad_(False)
    fold_batch_norms(module)
    module, mean, std = module, classifier.mean, classifier.std
    if not has_features(module):
        module, mean, std = fold_prefix(module, mean, std)
    if fold_scale((module, Features(module)) if has_features(module) else (module,), std):
        std = (1.0, 1.0, 1.0)
    bare = classifier.with_module(module, mean=mean, std=std)
    module.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if taped:
        return bare.with_module(Taped(bare, dtype))
    return bare.with_module((_CopyWithFeatures if has_features(module) else _Copy)(module, dtype))
