"""Activations with their backward passes, which torch has as functions of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_ATEN = torch.ops.aten

Gradients = Any
Backward = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Activation:
    """A function of each value.

    ``derivative(gradient, value)`` is the gradient for the input, from the value of the input, or
    of the output if ``from_output``.
    """

    function: Callable[[Tensor], Tensor]
    derivative: Backward
    from_output: bool = False

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        output = self.function(inputs[0])
        return output, (output if self.from_output else inputs[0],)

    def backward(
        self, gradient: Tensor, saved: tuple[Any, ...], partial: Gradients
    ) -> tuple[Tensor, ...]:
        inner = self.derivative(gradient, saved[0])
        return (inner if partial[0] is None else inner.add_(partial[0]),)


SILU = Activation(F.silu, _ATEN.silu_backward.default)
HARDSWISH = Activation(F.hardswish, _ATEN.hardswish_backward.default)
HARDSIGMOID = Activation(F.hardsigmoid, _ATEN.hardsigmoid_backward.default)
SIGMOID = Activation(torch.sigmoid, _ATEN.sigmoid_backward.default, from_output=True)
TANH = Activation(torch.tanh, _ATEN.tanh_backward.default, from_output=True)
MISH = Activation(F.mish, _ATEN.mish_backward.default)


def gelu(approximate: str) -> Activation:
    """GELU, by the error function ("none") or its approximation ("tanh")."""
    return Activation(
        lambda values: F.gelu(values, approximate=approximate),
        lambda gradient, values: _ATEN.gelu_backward.default(
            gradient, values, approximate=approximate
        ),
    )


FUNCTIONS: dict[Any, Activation] = {
    F.silu: SILU,
    F.hardswish: HARDSWISH,
    F.hardsigmoid: HARDSIGMOID,
    F.mish: MISH,
    torch.sigmoid: SIGMOID,
    F.sigmoid: SIGMOID,
    "sigmoid": SIGMOID,
    torch.tanh: TANH,
    F.tanh: TANH,
    "tanh": TANH,
}
MODULES: dict[type[nn.Module], Callable[[Any], Activation]] = {
    nn.SiLU: lambda _: SILU,
    nn.Hardswish: lambda _: HARDSWISH,
    nn.Hardsigmoid: lambda _: HARDSIGMOID,
    nn.Sigmoid: lambda _: SIGMOID,
    nn.Tanh: lambda _: TANH,
    nn.Mish: lambda _: MISH,
    nn.GELU: lambda part: gelu(part.approximate),
}
