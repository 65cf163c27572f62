"""What a traced network computes from its weights alone, computed once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx

PREFIX = "_engine_constant_"


@torch.no_grad()
def fold_constants(traced: fx.GraphModule) -> None:
    """Replace the nodes that only weights go into by their values, in place.

    Such are a Swin transformer's tables of position biases. A node that gives another value the
    second time, as noise does, stays.
    """
    values: dict[fx.Node, Any] = {}
    for node in list(traced.graph.nodes):
        if node.op == "get_attr":
            values[node] = _attribute(traced, str(node.target))
        elif node.op.startswith("call_") and node.all_input_nodes:
            value = _computed(traced, node, values)
            if value is not None:
                values[node] = _stored(traced, node, value)
    traced.graph.lint()


def _attribute(traced: fx.GraphModule, target: str) -> Any:
    value: Any = traced
    for name in target.split("."):
        value = getattr(value, name)
    return value


def _computed(traced: fx.GraphModule, node: fx.Node, values: dict[fx.Node, Any]) -> Tensor | None:
    """The node's value; None where it depends on the images, on chance, or changes its input."""
    if any(source not in values for source in node.all_input_nodes):
        return None
    interpreter = fx.Interpreter(traced)
    state = {source: values[source] for source in node.all_input_nodes}
    versions = [each._version for each in state.values() if isinstance(each, Tensor)]
    interpreter.env = state
    first, second = interpreter.run_node(node), interpreter.run_node(node)
    if [each._version for each in state.values() if isinstance(each, Tensor)] != versions:
        return None
    if not isinstance(first, Tensor) or not torch.equal(first, second):
        return None
    return first


def _stored(traced: fx.GraphModule, node: fx.Node, value: Tensor) -> Tensor:
    """``value`` as an attribute of the traced module, which the node stands for from now on."""
    name = PREFIX + node.name
    value = value.detach().clone()
    traced.register_buffer(name, value, persistent=False)
    node.op, node.target, node.args, node.kwargs = "get_attr", name, (), {}
    return value
