"""Frozen linear layers for a CPU, with weights prepacked for both passes.

An attack multiplies by the same weights thousands of times. On an AMD EPYC, oneDNN's product with
prepacked weights reaches 97 to 115 GFLOP/s in float32 on one thread, where torch's own reaches 68
to 98 forward and 37 to 98 backward: shapes of ViT-B/16, Swin-T and ConvNeXt-Tiny.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.engine.onednn import OPERATORS


class PackedLinear:
    """x Wᵀ + b for ``weight`` [O, I], prepacked for inputs of ``positions`` rows in all."""

    def __init__(self, weight: Tensor, bias: Tensor | None, positions: int) -> None:
        matrix = weight.detach().contiguous()
        self.bias = None if bias is None else bias.detach()
        self.forward_weight = OPERATORS.prepack_linear(matrix, positions)
        self.backward_weight = OPERATORS.prepack_linear(matrix.t().contiguous(), positions)

    def forward(self, rows: Tensor, activation: tuple[str, list[float]] = ("none", [])) -> Tensor:
        """The product for ``rows`` [..., I], contiguous, followed by oneDNN's ``activation``."""
        return OPERATORS.linear(rows, self.forward_weight, self.bias, *activation, "")

    def input_gradient(self, gradient: Tensor, accumulate_into: Tensor | None = None) -> Tensor:
        """The gradient for the rows from that for the output [..., O], contiguous.

        It is added to ``accumulate_into``, contiguous, if that is given.
        """
        if accumulate_into is None:
            return OPERATORS.linear(gradient, self.backward_weight, None, "none", [], "")
        return OPERATORS.linear_plus(gradient, accumulate_into, self.backward_weight, None, "add")


class PlainLinear:
    """The same for a single row in all, as in squeeze-excite, with the weights as they are.

    Preparing oneDNN's product takes longer than such a product: with 240 inputs and 64 outputs in
    float32 torch's own took 6 µs and oneDNN's 21.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self.weight = weight.detach().contiguous()
        self.bias = None if bias is None else bias.detach()

    @staticmethod
    def suits(weight: Tensor, positions: int) -> bool:
        """Whether it is quicker. In bfloat16 a row would have other bits in other batches."""
        return positions == 1 and weight.dtype == torch.float32

    def forward(self, rows: Tensor, activation: tuple[str, list[float]] = ("none", [])) -> Tensor:
        """As :meth:`PackedLinear.forward`; the activation is "relu", "hardtanh" or "none"."""
        output = F.linear(rows, self.weight, self.bias)
        name, bounds = activation
        if name == "relu":
            return output.relu_()
        return F.hardtanh_(output, *bounds) if name == "hardtanh" else output

    def input_gradient(self, gradient: Tensor, accumulate_into: Tensor | None = None) -> Tensor:
        """As :meth:`PackedLinear.input_gradient`."""
        result = gradient @ self.weight
        return result if accumulate_into is None else result.add_(accumulate_into)


class _PackedProduct(torch.autograd.Function):
    """A prepacked product as one node of autograd's graph."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, packed: PackedLinear) -> Tensor:
        ctx.packed = packed
        return packed.forward(rows.contiguous())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        packed: PackedLinear = ctx.packed
        return packed.input_gradient(gradients[0].contiguous()), None


def packed_product_of(rows: Tensor, packed: PackedLinear) -> Tensor:
    """The product for ``rows`` [..., I], with autograd's backward pass where they need one."""
    product: Tensor = _PackedProduct.apply(rows, packed)
    return product
