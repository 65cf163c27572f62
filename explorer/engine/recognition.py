"""Which operation of the engine a node of a traced module is."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.engine.convolution import PackedConv
from explorer.engine.operations import (
    Add,
    Concatenate,
    Convolution,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    Linear,
    MaxPool,
    Operation,
    ReLU,
    Scale,
    SiLU,
)
from explorer.engine.rectifier import Rectifier

PrepackedConvs = dict[Hashable, PackedConv]

IDENTITY = "identity"
"""Stands for a node whose value is its input's."""

Recognized = Operation | str | None
"""An operation, :data:`IDENTITY`, or None for a node that the engine does not know."""


class Recognizer:
    """Recognizes the nodes of ``traced``; ``images`` [N, 3, H, W] are an example of its input."""

    def __init__(self, traced: fx.GraphModule, images: Tensor, prepacked: PrepackedConvs) -> None:
        self.parts = dict(traced.named_modules())
        self._prepacked = prepacked
        interpreter = _ShapeRecorder(traced)
        with torch.no_grad():
            interpreter.run(images)
        self._shapes = interpreter.shapes

    def is_tensor(self, node: fx.Node) -> bool:
        """Whether the node's value is one tensor."""
        return node in self._shapes

    def part(self, node: fx.Node) -> nn.Module | None:
        """The sub-module that a node calls."""
        return self.parts[str(node.target)] if node.op == "call_module" else None

    def operation(self, node: fx.Node) -> Recognized:
        """What is known of the node."""
        part = self.part(node)
        if part is not None:
            return self._of_module(part, node)
        if node.op not in ("call_function", "call_method"):
            return None
        return self._of_function(node)

    def _of_function(self, node: fx.Node) -> Recognized:
        target = node.target
        if target in (F.relu, torch.relu, "relu"):
            return ReLU(Rectifier())
        if target is F.relu6:
            return ReLU(Rectifier(6.0))
        if target in (operator.add, operator.iadd, torch.add) and _is_binary(node):
            first, second = (self._shape(value) for value in node.args)
            return Add() if first == second != torch.Size() else None
        if target in (operator.mul, torch.mul) and _is_by_a_number(node):
            return Scale(float(node.args[1]))  # type: ignore[arg-type]
        if target in (torch.amax, "amax") and len(self._shape(node.args[0])) == 4:
            return GlobalMaxPool() if _reduction(node) == {"dim": (2, 3)} else None
        if target is torch.cat and self._is_of_channels(node):
            return Concatenate()
        if target in (torch.flatten, "flatten") and node.args[1:] == (1,) and not node.kwargs:
            return Flatten()
        if target is F.max_pool2d:
            return _max_pool(node.args[1:], node.kwargs)
        if target is F.adaptive_avg_pool2d and node.args[1:] in ((1,), ((1, 1),)):
            return None if node.kwargs else GlobalAvgPool()
        if target is F.dropout and not node.kwargs.get("training", True):
            return IDENTITY
        return None

    def _of_module(self, part: nn.Module, node: fx.Node) -> Recognized:
        inputs = node.all_input_nodes
        if len(inputs) != 1:
            return None
        shape = self._shape(inputs[0])
        if isinstance(part, nn.Conv2d) and PackedConv.supports(part) and len(shape) == 4:
            key = (part, shape[1:])
            self._prepacked[key] = self._prepacked.get(key) or PackedConv.of(part, shape)
            return Convolution(self._prepacked[key], relu=None)
        recognize = _MODULES.get(type(part))
        return None if recognize is None else recognize(part)

    def _is_of_channels(self, node: fx.Node) -> bool:
        dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
        values = node.args[0]
        if dim != 1 or not isinstance(values, list | tuple):
            return False
        return all(len(self._shape(value)) == 4 for value in values)

    def _shape(self, node: Any) -> torch.Size:
        """The shape of a node's value; a scalar's for what is not one tensor."""
        empty = torch.Size()
        return self._shapes.get(node, empty) if isinstance(node, fx.Node) else empty


class _ShapeRecorder(fx.Interpreter):
    """Runs a traced module and records the shapes of its tensors.

    torch's own ShapeProp would import sympy: half a second.
    """

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.shapes: dict[fx.Node, torch.Size] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.shapes[n] = value.shape
        return value


def _is_binary(node: fx.Node) -> bool:
    return len(node.args) == 2 and not node.kwargs


def _is_by_a_number(node: fx.Node) -> bool:
    if not _is_binary(node):
        return False
    return isinstance(node.args[0], fx.Node) and isinstance(node.args[1], int | float)


def _reduction(node: fx.Node) -> dict[str, Any]:
    """The options of a reduction over ``dim``."""
    options = dict(zip(("dim", "keepdim"), node.args[1:], strict=False)) | node.kwargs
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }


def _linear(part: nn.Linear) -> Linear:
    return Linear(part.weight.detach(), None if part.bias is None else part.bias.detach())


def _pool_module(part: nn.MaxPool2d) -> MaxPool | None:
    settings = (part.kernel_size, part.stride, part.padding, part.dilation)
    return _max_pool((*settings, part.ceil_mode, part.return_indices), {})


_MODULES: dict[type[nn.Module], Callable[[Any], Recognized]] = {
    nn.ReLU: lambda _: ReLU(Rectifier()),
    nn.ReLU6: lambda _: ReLU(Rectifier(6.0)),
    nn.SiLU: lambda _: SiLU(),
    nn.Linear: _linear,
    nn.AdaptiveAvgPool2d: lambda p: GlobalAvgPool() if p.output_size in (1, (1, 1)) else None,
    nn.MaxPool2d: _pool_module,
    nn.Flatten: lambda p: Flatten() if (p.start_dim, p.end_dim) == (1, -1) else None,
    nn.Identity: lambda _: IDENTITY,
    nn.Dropout: lambda p: None if p.training else IDENTITY,
}


def _max_pool(args: Sequence[Any], kwargs: dict[str, Any]) -> MaxPool | None:
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    defaults = {
        "stride": None,
        "padding": 0,
        "dilation": 1,
        "ceil_mode": False,
        "return_indices": False,
    }
    options = {**defaults, **kwargs} | dict(zip(names, args, strict=False))
    if options["return_indices"]:
        return None
    if options["stride"] in (None, [], ()):
        options["stride"] = options["kernel_size"]

    def pair(value: Any) -> list[int]:
        return [value, value] if isinstance(value, int) else list(value)

    return MaxPool((*(pair(options[name]) for name in names[:4]), options["ceil_mode"]))
