"""What an optimized network is made of, each operation with its backward pass written out.

``forward(*inputs)`` returns the output and what the backward pass needs. ``backward(gradient,
saved, partial)`` returns the gradient for each input: what comes through this operation plus
``partial``, the gradient that reached the input from other operations (None if none did).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.engine.convolution import PackedConv
from explorer.engine.rectifier import Rectifier

Gradients = Sequence[Tensor | None]
Saved = tuple[Any, ...]


class Operation(Protocol):
    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]: ...

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients: ...


def inner_product(output: Tensor, gradient: Tensor) -> Tensor:
    """A scalar whose gradient for ``output`` is ``gradient``.

    Giving ``gradient`` to ``torch.autograd.grad`` itself would import sympy first: half a second.
    """
    with torch.enable_grad():
        return (output * gradient).sum()


def add_to(partial: Tensor | None, gradient: Tensor) -> Tensor:
    """``gradient``, and ``partial`` if there is one."""
    return gradient if partial is None else partial + gradient


def add_into(partial: Tensor | None, gradient: Tensor) -> Tensor:
    """The same in the memory of ``gradient``, which no other operation uses."""
    return gradient if partial is None else gradient.add_(partial)


@dataclass(frozen=True)
class Convolution:
    """A prepacked convolution with the ReLU after it, whose mask the tape applies."""

    conv: PackedConv
    relu: Rectifier | None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        (images,) = inputs
        needed = images if self.conv.backward_needs(images) else None
        return self.conv.forward(images, self.relu), (needed,)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (self.conv.input_gradient(gradient, saved[0], partial[0]),)


@dataclass(frozen=True)
class ReLU:
    """A ReLU. The tape applies the mask of its gradient, once for several operations."""

    rectifier: Rectifier

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return self.rectifier(inputs[0]), ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (add_to(partial[0], gradient),)


@dataclass(frozen=True)
class MaxPool:
    """The largest value of each window.

    ``settings`` are those of torch's function: kernel, stride, padding, dilation, ceil mode.
    """

    settings: tuple[Any, ...]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        pool = torch.ops.aten.max_pool2d_with_indices.default
        output, indices = pool(inputs[0], *self.settings)
        return output, (inputs[0].shape, indices)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        shape, indices = saved
        # torch takes the images for their shape alone; their values are neither read nor written.
        images = torch.empty(
            shape,
            dtype=gradient.dtype,
            device=gradient.device,
            memory_format=torch.channels_last,
        )
        unpool = torch.ops.aten.max_pool2d_with_indices_backward.default
        return (add_into(partial[0], unpool(gradient, images, *self.settings, indices)),)


@dataclass(frozen=True)
class GlobalAvgPool:
    """The mean over all positions: [N, C, 1, 1], or [N, C] if ``flat``."""

    flat: bool = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        shape = inputs[0].shape
        # Tensor.mean takes three times as long.
        output = F.avg_pool2d(inputs[0], tuple(shape[2:]))
        return output.flatten(1) if self.flat else output, (shape,)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        (shape,) = saved
        if self.flat:
            gradient = gradient[:, :, None, None]
        return (add_to(partial[0], (gradient / (shape[2] * shape[3])).expand(shape)),)


@dataclass(frozen=True)
class GlobalMaxPool:
    """The maximum over all positions, [N, C]; equal maxima share the gradient."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        output = inputs[0].amax(dim=(2, 3))
        return output, (inputs[0], output)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        images, output = saved
        is_maximum = (images == output[:, :, None, None]).to(gradient.dtype)
        each = gradient / is_maximum.sum(dim=(2, 3))
        return (add_into(partial[0], is_maximum.mul_(each[:, :, None, None])),)


@dataclass(frozen=True)
class Scale:
    """x times a number."""

    factor: float

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0] * self.factor, ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (add_into(partial[0], gradient * self.factor),)


@dataclass(frozen=True)
class Concatenate:
    """The channels of several inputs in order."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return torch.cat(inputs, dim=1), (tuple(value.shape[1] for value in inputs),)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        pieces = gradient.split_with_sizes(saved[0], dim=1)
        return [add_to(before, piece) for before, piece in zip(partial, pieces, strict=True)]


@dataclass(frozen=True)
class Add:
    """The sum of two inputs of one shape."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0] + inputs[1], ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return [add_to(before, gradient) for before in partial]


@dataclass(frozen=True)
class Flatten:
    """[N, C, H, W] → [N, C·H·W]."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0].flatten(1), (inputs[0].shape,)

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (add_to(partial[0], gradient.reshape(saved[0])),)


@dataclass(frozen=True)
class Linear:
    """x Wᵀ + b, with ``weight`` [O, I]."""

    weight: Tensor
    bias: Tensor | None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return F.linear(inputs[0], self.weight, self.bias), ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        return (add_into(partial[0], gradient @ self.weight),)
