"""What a frozen network is made of, each with its way back written out: the operations of a :class:`~explorer.engine.tape.Tape`.

``forward(inputs)`` returns the output and what the way back needs; ``backward(gradient, kept, onto)`` returns, for each input, the
gradient that reached it so far (``onto``, or None) plus what comes through this operation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, fx

from explorer.engine.convolution import PackedConv

Gradients = Sequence[Tensor | None]


class Operation(Protocol):
    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]: ...

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients: ...


def product(output: Tensor, gradient: Tensor) -> Tensor:
    """What has ``gradient`` at ``output``: to give it to ``torch.autograd.grad`` itself would first load sympy, half a second."""
    with torch.enable_grad():
        return (output * gradient).sum()


def _plus(onto: Tensor | None, more: Tensor) -> Tensor:
    return more if onto is None else onto + more


def _fresh_plus(onto: Tensor | None, more: Tensor) -> Tensor:
    """The same where nobody else has ``more``."""
    return more if onto is None else more.add_(onto)


@dataclass(frozen=True)
class Convolution:
    """A packed convolution, with the ReLU behind it. That ReLU's way back is the tape's affair: see :class:`Rectify`."""

    part: PackedConv
    relu: bool

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        (images,) = inputs
        return self.part(images, self.relu), (images if self.part.needs(images) else None,)

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return (self.part.transposed(gradient, kept[0], onto[0]),)


@dataclass(frozen=True)
class Rectify:
    """ReLU. Its output says where the gradient ends, which the tape sees to, once for several operations where it can."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return inputs[0].relu(), ()

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return (_plus(onto[0], gradient),)


@dataclass(frozen=True)
class Swish:
    """SiLU, x σ(x)."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return F.silu(inputs[0]), inputs

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return (_fresh_plus(onto[0], torch.ops.aten.silu_backward.default(gradient, kept[0])),)


@dataclass(frozen=True)
class MaxPool:
    """The largest of each window; ``settings`` as torch's own function takes them: kernel, stride, padding, dilation, ceil mode."""

    settings: tuple[Any, ...]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        output, at = torch.ops.aten.max_pool2d_with_indices.default(inputs[0], *self.settings)
        return output, (inputs[0].shape, at)

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        shape, at = kept
        # torch asks for the images and looks at their shape only: these are never written or read.
        images = torch.empty(
            shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last
        )
        return (
            _fresh_plus(
                onto[0],
                torch.ops.aten.max_pool2d_with_indices_backward.default(
                    gradient, images, *self.settings, at
                ),
            ),
        )


@dataclass(frozen=True)
class Mean:
    """The mean over all positions, [N, C, 1, 1]."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        shape = inputs[0].shape
        return F.avg_pool2d(inputs[0], tuple(shape[2:])), (
            shape,
        )  # the mean itself takes three times as long

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        (shape,) = kept
        return (_plus(onto[0], (gradient / (shape[2] * shape[3])).expand(shape)),)


@dataclass(frozen=True)
class Greatest:
    """The largest of all positions, [N, C]; where several are, each has its part of the gradient."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        output = inputs[0].amax(dim=(2, 3))
        return output, (inputs[0], output)

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        images, output = kept
        share = (images == output[:, :, None, None]).to(gradient.dtype)
        each = gradient / share.sum(dim=(2, 3))
        return (_fresh_plus(onto[0], share.mul_(each[:, :, None, None])),)


@dataclass(frozen=True)
class Scale:
    """Times a number."""

    factor: float

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return inputs[0] * self.factor, ()

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return (_fresh_plus(onto[0], gradient * self.factor),)


@dataclass(frozen=True)
class Concatenate:
    """Channels of several, one after the other."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return torch.cat(inputs, dim=1), (tuple(value.shape[1] for value in inputs),)

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        pieces = gradient.split_with_sizes(kept[0], dim=1)
        return [_plus(before, piece) for before, piece in zip(onto, pieces, strict=True)]


@dataclass(frozen=True)
class Add:
    """The sum of two of one shape."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return inputs[0] + inputs[1], ()

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return [_plus(before, gradient) for before in onto]


@dataclass(frozen=True)
class Flatten:
    """[N, C, H, W] → [N, C·H·W]."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return inputs[0].flatten(1), (inputs[0].shape,)

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return (_plus(onto[0], gradient.reshape(kept[0])),)


@dataclass(frozen=True)
class Linear:
    """x Wᵀ + b, with ``weight`` [O, I]."""

    weight: Tensor
    bias: Tensor | None

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return F.linear(inputs[0], self.weight, self.bias), ()

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        return (_fresh_plus(onto[0], gradient @ self.weight),)


@dataclass(frozen=True)
class Segment:
    """Anything else: a piece of the network that autograd takes the way back through."""

    graph: fx.GraphModule

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        with torch.enable_grad():
            points = tuple(value.detach().requires_grad_(True) for value in inputs)
            output = self.graph(*points)
        return output.detach(), (points, output)

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        points, output = kept
        if not output.requires_grad:
            return onto
        found = torch.autograd.grad(product(output, gradient), points, allow_unused=True)
        return [
            before if more is None else _plus(before, more)
            for before, more in zip(onto, found, strict=True)
        ]
