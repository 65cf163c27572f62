"""Operations of transformers and of squeeze-excite, with their backward passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.engine.linear import PackedLinear
from explorer.engine.operations import Gradients, Saved, add_into, add_to

_ATEN = torch.ops.aten


@dataclass(frozen=True)
class PackedLinearLayer:
    """x Wᵀ + b over the last dimension of [N, ..., I], with prepacked weights."""

    packed: PackedLinear

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return self.packed.forward(inputs[0].contiguous()), ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        before = None if partial[0] is None else partial[0].contiguous()
        return (self.packed.input_gradient(gradient.contiguous(), before),)


@dataclass(frozen=True)
class LayerNorm:
    """A layer norm over the last dimensions, of ``shape``."""

    shape: Sequence[int]
    weight: Tensor | None
    bias: Tensor | None
    epsilon: float

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        values = inputs[0].contiguous()
        output, mean, scale = torch.native_layer_norm(
            values, self.shape, self.weight, self.bias, self.epsilon
        )
        return output, (values, mean, scale)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        values, mean, scale = saved
        inner = _ATEN.native_layer_norm_backward.default(
            gradient.contiguous(),
            values,
            self.shape,
            mean,
            scale,
            self.weight,
            self.bias,
            [True, False, False],
        )[0]
        return (add_into(partial[0], inner),)


@dataclass(frozen=True)
class Permute:
    """The dimensions in another order."""

    order: tuple[int, ...]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0].permute(self.order), ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        count = len(self.order)
        back = [0] * count
        for place, dimension in enumerate(self.order):
            back[dimension % count] = place
        return (add_to(partial[0], gradient.permute(back)),)


@dataclass(frozen=True)
class ScaleBy:
    """x times a tensor that the image does not change, which x's shape contains."""

    factor: Tensor

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0] * self.factor, ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (add_into(partial[0], gradient * self.factor),)


@dataclass(frozen=True)
class Shift:
    """x plus a tensor that the image does not change, which x's shape contains."""

    constant: Tensor

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0] + self.constant, ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (add_to(partial[0], gradient),)


@dataclass(frozen=True)
class Gate:
    """Images [N, C, H, W] times a gate [N, C, 1, 1]; ``images`` and ``gate`` are their places."""

    images: int
    gate: int

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0] * inputs[1], inputs

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        images, gate = saved[self.images], saved[self.gate]
        product = gradient * images
        # Tensor.sum takes several times as long.
        size = tuple(images.shape[2:])
        inner = F.avg_pool2d(product, size).mul_(size[0] * size[1])
        results: list[Any] = [None, None]
        results[self.images] = add_into(partial[self.images], gradient * gate)
        results[self.gate] = add_into(partial[self.gate], inner)
        return results


@dataclass(frozen=True)
class AvgPool:
    """The mean of each window. ``settings`` are those of torch's function."""

    settings: tuple[Any, ...]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return F.avg_pool2d(inputs[0], *self.settings), (inputs[0].shape,)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        images = torch.empty(
            saved[0],
            dtype=gradient.dtype,
            device=gradient.device,
            memory_format=torch.channels_last,
        )
        inner = _ATEN.avg_pool2d_backward.default(
            gradient.contiguous(memory_format=torch.channels_last), images, *self.settings
        )
        return (add_into(partial[0], inner),)


@dataclass(frozen=True)
class FrozenBatchNorm:
    """A batch norm in evaluation mode that no convolution before it could take in."""

    mean: Tensor
    variance: Tensor
    weight: Tensor | None
    bias: Tensor | None
    epsilon: float

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        statistics = (self.mean, self.variance, self.weight, self.bias)
        return F.batch_norm(inputs[0], *statistics, eps=self.epsilon), ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        scale = (self.variance + self.epsilon).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        return (add_into(partial[0], gradient * scale[:, None, None]),)
