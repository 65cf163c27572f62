"""Pieces of a network that the engine does not know: autograd takes their backward pass."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.overrides import TorchFunctionMode

from explorer.engine.linear import PackedLinear, packed_product_of
from explorer.engine.operations import Gradients, Saved, add_to


class PackedProducts(TorchFunctionMode):
    """Computes the linear layers of the code that runs in it with prepacked weights.

    Those are the frozen ones whose input has three dimensions or more: a head's product for one
    row waits for its weights however they are laid out.
    """

    def __init__(self) -> None:
        super().__init__()
        # By the identity of weight and bias, which the entry keeps alive.
        self._packed: dict[Hashable, tuple[Tensor, Tensor | None, PackedLinear]] = {}

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if function is not torch._C._nn.linear or kwargs:
            return function(*args, **(kwargs or {}))
        rows, weight, bias = (*args, None)[:3]
        if not isinstance(weight, nn.Parameter) or weight.requires_grad or rows.dim() < 3:
            return function(*args)
        if bias is not None and not isinstance(bias, nn.Parameter):
            return function(*args)
        return packed_product_of(rows, self.of(weight, bias, rows.shape))

    def of(self, weight: Tensor, bias: Tensor | None, shape: torch.Size) -> PackedLinear:
        """The layer prepacked for inputs of ``shape`` [..., I], or as it was at first."""
        key = id(weight), id(bias)
        if key not in self._packed:
            positions = shape.numel() // shape[-1]
            self._packed[key] = weight, bias, PackedLinear(weight, bias, positions)
        return self._packed[key][2]


class _Seed(torch.autograd.Function):
    """A scalar whose gradient for ``output`` is ``gradient``, without a pass over either."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, gradient: Tensor) -> Tensor:
        ctx.gradient = gradient
        return output.new_zeros(())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        gradient: Tensor = ctx.gradient
        return gradient, None


@dataclass(frozen=True)
class AutogradSegment:
    """A piece of the network that returns one value, or a tuple of ``count``.

    Values that are no tensors, such as a batch's size, pass through it. ``products`` are the linear
    layers in it.
    """

    graph: fx.GraphModule
    count: int
    products: PackedProducts

    def forward(self, *inputs: Any) -> tuple[Any, Saved]:
        with torch.enable_grad(), self.products:
            leaves = tuple(_leaf(value) for value in inputs)
            outputs = self.graph(*leaves)
        values = tuple(each.detach() if isinstance(each, Tensor) else each for each in outputs)
        return values[0] if self.count == 1 else values, (leaves, outputs)

    def backward(self, gradient: Any, saved: Saved, partial: Gradients) -> Gradients:
        leaves, outputs = saved
        arriving = (gradient,) if self.count == 1 else gradient
        with torch.enable_grad():
            seeds = [
                _Seed.apply(output, each.to(output.dtype))
                for output, each in zip(outputs, arriving, strict=True)
                if each is not None and isinstance(output, Tensor) and output.requires_grad
            ]
            total = sum(seeds[1:], seeds[0]) if seeds else None
        wanted = [leaf for leaf in leaves if isinstance(leaf, Tensor) and leaf.requires_grad]
        if total is None or not wanted:
            return partial
        inner = iter(torch.autograd.grad(total, wanted, allow_unused=True))
        results = []
        for leaf, before in zip(leaves, partial, strict=True):
            takes_gradient = isinstance(leaf, Tensor) and leaf.requires_grad
            each = next(inner) if takes_gradient else None
            results.append(before if each is None else add_to(before, each))
        return results

    def names(self) -> list[str]:
        """What the piece calls: the kinds of its modules, functions and methods."""
        names = []
        for node in self.graph.graph.nodes:
            if node.op == "call_module":
                names.append(type(self.graph.get_submodule(str(node.target))).__name__)
            elif node.op.startswith("call_"):
                names.append(str(getattr(node.target, "__name__", node.target)))
        return names


def _leaf(value: Any) -> Any:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.detach().requires_grad_(True)
    return value


@dataclass(frozen=True)
class Item:
    """One value of a segment's tuple of ``count``; the gradients of all are gathered in a list."""

    place: int
    count: int

    def forward(self, *inputs: Any) -> tuple[Any, Saved]:
        return inputs[0][self.place], ()

    def backward(self, gradient: Any, saved: Saved, partial: Any) -> Any:
        gathered = [None] * self.count if partial[0] is None else partial[0]
        before = gathered[self.place]
        gathered[self.place] = gradient if before is None else before + gradient
        return (gathered,)
