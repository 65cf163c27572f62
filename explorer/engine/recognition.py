"""Which operation of the engine a node of a traced module is."""

from __future__ import annotations

import operator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.engine import activations
from explorer.engine.attention import SelfAttention
from explorer.engine.convolution import PackedConv
from explorer.engine.layers import (
    Gate,
    LayerNorm,
    PackedLinearLayer,
    ScaleBy,
    Shift,
)
from explorer.engine.node_options import (
    IDENTITY,
    MODULES,
    Recognized,
    avg_pool,
    contains,
    frozen_norm,
    is_binary,
    is_by_a_number,
    is_off,
    max_pool,
    permutation,
    reduction,
    spatial_mean,
)
from explorer.engine.operations import (
    Add,
    Concatenate,
    Convolution,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    ReLU,
    Scale,
)
from explorer.engine.prepacked import Prepacked
from explorer.engine.rectifier import Rectifier


class Recognizer:
    """Recognizes the nodes of ``traced``; ``images`` [N, 3, H, W] are an example of its input."""

    def __init__(self, traced: fx.GraphModule, images: Tensor, prepacked: Prepacked) -> None:
        self.parts = dict(traced.named_modules())
        self._traced = traced
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
        if target in (operator.add, operator.iadd, torch.add) and is_binary(node):
            return self._sum(node)
        if target in (operator.mul, operator.imul, torch.mul, "mul") and is_binary(node):
            return self._product(node)
        if (
            target in activations.FUNCTIONS
            and len(node.args) == 1
            and len(node.all_input_nodes) == 1
        ):
            return activations.FUNCTIONS[target]
        if target is F.gelu and len(node.args) == 1:
            return activations.gelu(str(node.kwargs.get("approximate", "none")))
        if target in (torch.permute, "permute"):
            return permutation(node)
        if target is F.layer_norm:
            return self._layer_norm(node)
        if target is F.avg_pool2d:
            return avg_pool(node.args[1:], node.kwargs)
        if target in (torch.mean, "mean") and len(self._shape(node.args[0])) == 4:
            return spatial_mean(node)
        if getattr(target, "__name__", "") == "stochastic_depth":
            return IDENTITY if node.kwargs.get("training") is False or is_off(node) else None
        if target is operator.getitem and node.args[1] == 0:
            source = node.args[0]
            part = self.part(source) if isinstance(source, fx.Node) else None
            if isinstance(part, nn.MultiheadAttention):
                return IDENTITY if self.operation(source) is not None else None  # type: ignore[arg-type]
        if target in (torch.amax, "amax") and len(self._shape(node.args[0])) == 4:
            return GlobalMaxPool() if reduction(node) == {"dim": (2, 3)} else None
        if target is torch.cat and self._is_of_channels(node):
            return Concatenate()
        if target in (torch.flatten, "flatten"):
            is_rest = (node.args[1:], node.kwargs) in (((1,), {}), ((), {"start_dim": 1}))
            return Flatten() if is_rest else None
        if target is F.max_pool2d:
            return max_pool(node.args[1:], node.kwargs)
        if target is F.adaptive_avg_pool2d and node.args[1:] in ((1,), ((1, 1),)):
            return None if node.kwargs else GlobalAvgPool()
        if target is F.dropout and not node.kwargs.get("training", True):
            return IDENTITY
        return None

    def _of_module(self, part: nn.Module, node: fx.Node) -> Recognized:
        inputs = node.all_input_nodes
        if isinstance(part, nn.MultiheadAttention):
            return self._attention(part, node)
        if len(inputs) != 1:
            return None
        shape = self._shape(inputs[0])
        if isinstance(part, nn.Conv2d) and PackedConv.supports(part) and len(shape) == 4:
            key = (part, shape[1:])
            convs = self._prepacked.convs
            convs[key] = convs.get(key) or PackedConv.of(part, shape)
            return Convolution(convs[key], relu=None)
        if isinstance(part, nn.Linear) and len(shape) >= 3:
            products = self._prepacked.products
            return PackedLinearLayer(products.of(part.weight, part.bias, shape))
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and not part.training:
            return frozen_norm(part)
        recognize = MODULES.get(type(part))
        return None if recognize is None else recognize(part)

    def _sum(self, node: fx.Node) -> Recognized:
        """The sum of two tensors of one shape, or of a tensor and a weight."""
        first, second = (self._shape(value) for value in node.args)
        for place, other in ((0, 1), (1, 0)):
            constant = self._constant(node.args[other])
            if constant is not None:
                fits = contains(self._shape(node.args[place]), constant.shape)
                return Shift(constant) if fits else None
        return Add() if first == second != torch.Size() else None

    def _product(self, node: fx.Node) -> Recognized:
        """The product of two values."""
        if is_by_a_number(node):
            return Scale(float(node.args[1]))  # type: ignore[arg-type]
        shapes = [self._shape(value) for value in node.args]
        for place, other in ((0, 1), (1, 0)):
            constant = self._constant(node.args[other])
            if constant is not None and contains(shapes[place], constant.shape):
                return ScaleBy(constant)
            if len(shapes[place]) == 4 and shapes[other] == (*shapes[place][:2], 1, 1):
                is_node = all(isinstance(value, fx.Node) for value in node.args)
                is_gate = is_node and self._constant(node.args[place]) is None
                return Gate(place, other) if is_gate and constant is None else None
        return None

    def _layer_norm(self, node: fx.Node) -> Recognized:
        """torch's function, where its weights are the network's."""
        names = ("normalized_shape", "weight", "bias", "eps")
        options: dict[str, Any] = dict(zip(names, node.args[1:], strict=False)) | node.kwargs
        given = options.get("weight"), options.get("bias")
        weight, bias = (self._constant(value) for value in given)
        if (weight is None, bias is None) != tuple(value is None for value in given):
            return None
        shape = tuple(options["normalized_shape"])
        if not all(isinstance(side, int) for side in shape):
            return None
        return LayerNorm(shape, weight, bias, float(options.get("eps", 1e-5)))

    def _attention(self, part: nn.MultiheadAttention, node: fx.Node) -> Recognized:
        """Attention of rows to themselves, whose weights nothing asks for."""
        if (
            len(node.all_input_nodes) != 1
            or len(node.args) != 3
            or not SelfAttention.supports(part)
        ):
            return None
        wanted = {user.args[1] for user in node.users if user.target is operator.getitem}
        if wanted != {0} or len(node.users) != 1 or set(node.kwargs) - {"need_weights"}:
            return None
        shape, products = self._shape(node.args[0]), self._prepacked.products
        assert part.in_proj_weight is not None
        return SelfAttention(
            products.of(part.in_proj_weight, part.in_proj_bias, shape),
            products.of(part.out_proj.weight, part.out_proj.bias, shape),
            part.num_heads,
        )

    def _constant(self, value: Any) -> Tensor | None:
        """The value of a weight, or of what only weights go into."""
        if not isinstance(value, fx.Node) or value.op != "get_attr":
            return None
        constant: Any = self._traced
        for name in str(value.target).split("."):
            constant = getattr(constant, name)
        return constant.detach() if isinstance(constant, Tensor) else None

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
