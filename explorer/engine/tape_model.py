"""A classifier's optimized copy as tapes, for a CPU."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from explorer.classifiers import Classifier, ClassifierError
from explorer.classifiers.classifier import has_features
from explorer.classifiers.outputs import LOGITS
from explorer.engine.capture import CaptureError, capture
from explorer.engine.gradient_model import (
    NO_FEATURES_GRADIENT,
    NO_LOGITS_GRADIENT,
    VJP,
    AutogradModel,
    NoGradientError,
    SavedTensors,
)
from explorer.engine.operations import Convolution
from explorer.engine.optimized_copy import Features, channels_last, noise, with_channels_last
from explorer.engine.prepacked import Prepacked
from explorer.engine.segments import AutogradSegment
from explorer.engine.tape import Tape

# What computes shapes and takes tuples apart.
_BOOKKEEPING = ("getattr", "getitem", "size", "dim", "eq", "floordiv", "_assert")


class TapeModel:
    """``optimized``, a copy of a classifier, as a tape for its logits and one for its features.

    Features that can't be captured come from autograd. Raises what capturing the logits raises.
    """

    def __init__(self, optimized: Classifier) -> None:
        if optimized.outputs != LOGITS:
            raise CaptureError("the module does not return logits")
        self.network = self._optimized = optimized
        self._dtype = next(optimized.module.parameters()).dtype
        self._autograd = AutogradModel(with_channels_last(optimized))
        prepacked = Prepacked()
        module = optimized.module
        example = channels_last(noise(optimized, 1).to(self._dtype))
        self._logits = capture(module, example, prepacked)
        self._features: Tape | None = None
        try:
            if has_features(module):
                self._features = capture(Features(module), example, prepacked)
            else:
                self._features = capture(module, example, prepacked, optimized.head())
        except (ClassifierError, CaptureError):
            pass

    def logits(self, images: Tensor) -> Tensor:
        return self._logits(self._input(self._logits, images)).float()

    def features(self, images: Tensor) -> Tensor:
        if self._features is None:
            return self._autograd.features(images)
        output = self._features(self._input(self._features, images)).float()
        return (output.mean(dim=(2, 3)) if self._is_averaged(output) else output).flatten(1)

    def logits_vjp(self, images: Tensor) -> tuple[Tensor, VJP]:
        return self._vjp(self._logits, images, NO_LOGITS_GRADIENT)

    def features_vjp(self, images: Tensor) -> tuple[Tensor, VJP]:
        if self._features is None:
            return self._autograd.features_vjp(images)
        output, vjp = self._vjp(self._features, images, NO_FEATURES_GRADIENT)
        if not self._is_averaged(output):
            return output.flatten(1), lambda gradient: vjp(gradient.view_as(output))
        positions = output.shape[2] * output.shape[3]

        def averaged(gradient: Tensor) -> Tensor:
            return vjp((gradient / positions)[:, :, None, None].expand_as(output))

        return output.mean(dim=(2, 3)), averaged

    def saved_bytes(self, images: Tensor) -> int:
        counter = SavedTensors()
        with counter:
            _, records = self._logits.record(self._input(self._logits, images))
        for output, saved in records:
            for value in (output, *saved):
                if isinstance(value, Tensor):
                    counter.add(value)
        return counter.bytes

    @property
    def autograd_pieces(self) -> tuple[str, ...]:
        operations = (instruction.operation for instruction in self._logits.instructions)
        segments = (each for each in operations if isinstance(each, AutogradSegment))
        names = (name for each in segments for name in each.names())
        return tuple(dict.fromkeys(name for name in names if name not in _BOOKKEEPING))

    @property
    def is_concurrent(self) -> bool:
        return True

    @property
    def is_batch_invariant(self) -> bool:
        """In float32 the kernels for small batches add in other orders."""
        return self._dtype == torch.bfloat16

    def _vjp(self, tape: Tape, images: Tensor, reason: str) -> tuple[Tensor, VJP]:
        output, backward = tape.vjp(self._input(tape, images))
        return output.float(), self._pixel_gradient(backward, reason)

    def _pixel_gradient(self, backward: Callable[[Tensor], Tensor | None], reason: str) -> VJP:
        def vjp(gradient: Tensor) -> Tensor:
            with torch.no_grad():
                result = backward(gradient.to(self._dtype))
                if result is None:
                    raise NoGradientError(reason)
                return self._optimized.unnormalised_gradient(result.float()).contiguous()

        return vjp

    def _input(self, tape: Tape, images: Tensor) -> Tensor:
        with torch.no_grad():
            normalised = self._optimized.normalised(images)
        # A prepacked convolution converts the layout itself, more quickly.
        starts_packed = isinstance(tape.instructions[0].operation, Convolution)
        return normalised if starts_packed else channels_last(normalised)

    def _is_averaged(self, output: Tensor) -> bool:
        """Whether features are means over positions: see :meth:`Classifier.features`."""
        return output.dim() == 4 and not has_features(self._optimized.module)
