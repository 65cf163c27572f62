"""Reading a module into a :class:`~explorer.engine.tape.Tape`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from explorer.engine.convolution import PackedConv
from explorer.engine.fusion import merged
from explorer.engine.operations import (
    Add,
    Concatenate,
    Convolution,
    Flatten,
    Greatest,
    Linear,
    MaxPool,
    Mean,
    Operation,
    Rectify,
    Scale,
    Segment,
    Swish,
)
from explorer.engine.tape import Line, Tape
from explorer.errors import UserError

Packed = dict[Hashable, PackedConv]


class NotTaped(UserError):
    """A module that is no plain chain and branching of operations on tensors."""


def tape_of(
    module: nn.Module, images: Tensor, packed: Packed, until: nn.Module | None = None
) -> Tape:
    """The tape of frozen ``module``, its convolutions packed for inputs like ``images`` [N, 3, H, W] in ``packed``, which tapes of one
    module share. It ends with the module's output, or with what its part ``until`` is given. Raises :class:`NotTaped`, and whatever
    tracing or running the module raises."""
    for part in module.modules():
        if getattr(part, "inplace", False):
            part.inplace = False  # type: ignore[assignment]
    graph = fx.Tracer().trace(module)
    reader = _Reader(fx.GraphModule(module, graph), images, packed)
    return Tape(merged(reader.lines(until), packed))


class _Shapes(fx.Interpreter):
    """Runs a traced module; ``found`` says of what shape each node's value was, where it was a tensor. (torch's own ShapeProp brings sympy,
    half a second.)"""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.found: dict[fx.Node, torch.Size] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        if isinstance(value, Tensor):
            self.found[n] = value.shape
        return value


class _Reader:
    """Goes through a traced module. ``slots`` says where each node's value is."""

    def __init__(self, traced: fx.GraphModule, images: Tensor, packed: Packed) -> None:
        self.traced, self.packed = traced, packed
        self.parts = dict(traced.named_modules())
        self.shapes = _Shapes(traced)
        with torch.no_grad():
            self.shapes.run(images)
        self.slots: dict[fx.Node, int] = {}
        self.found: list[Line] = []
        self.waiting: list[fx.Node] = []  # nodes of no known operation, one after the other

    def lines(self, until: nn.Module | None) -> list[Line]:
        for node in self.traced.graph.nodes:
            if node.op == "placeholder":
                if self.slots:
                    raise NotTaped("the module takes more than one input")
                self.slots[node] = 0
            elif node.op == "output" or (until is not None and self._part(node) is until):
                self._end(node)
                return self.found
            elif node not in self.slots:
                self._read(node)
        raise NotTaped("the part was never reached")

    def _end(self, node: fx.Node) -> None:
        result = node.args[0]
        if not isinstance(result, fx.Node):
            raise NotTaped("the module returns no tensor")
        self._close([result])
        if not self.found or self.slots[result] != self.found[-1].output:
            raise NotTaped("what is returned is not what was computed last")

    def _read(self, node: fx.Node) -> None:
        operation = self._operation(node)
        if operation is None:
            self.waiting.append(node)
            return
        inputs = node.all_input_nodes
        if (
            isinstance(operation, Add | Concatenate)
            and len(self._open(())) > 1
            and all(given in self.waiting for given in inputs)
        ):
            self.waiting.append(node)  # brings what waits back to one value
            return
        if isinstance(operation, Scale) and self.waiting:
            self.waiting.append(node)  # arithmetic among what is waiting
            return
        self._close(inputs)
        if isinstance(operation, str):
            self.slots[node] = self.slots[inputs[0]]
            return
        if isinstance(operation, Convolution):
            relu = self._relu_after(node)
            if relu is not None:
                operation = Convolution(operation.part, True)
                for passed in relu:
                    self.slots[passed] = len(self.found) + 1
        self._add(operation, tuple(self.slots[given] for given in _arguments(node)), node)

    def _add(self, operation: Operation, inputs: tuple[int, ...], node: fx.Node) -> None:
        self.found.append(Line(operation, inputs, len(self.found) + 1))
        self.slots[node] = len(self.found)

    def _open(self, wanted: Sequence[fx.Node]) -> list[fx.Node]:
        """Those waiting whose value somebody else takes."""
        return [
            node
            for node in self.waiting
            if node in wanted or any(user not in self.waiting for user in node.users)
        ]

    def _close(self, wanted: Sequence[fx.Node]) -> None:
        """Make a segment of what waits."""
        if not self.waiting:
            return
        given = list(
            dict.fromkeys(
                node
                for taker in self.waiting
                for node in taker.all_input_nodes
                if node not in self.waiting
            )
        )
        results = self._open(wanted)
        if len(results) != 1 or results[0] not in self.shapes.found:
            raise NotTaped("a part of the module returns several values")
        if not all(node in self.slots for node in given):
            raise NotTaped("a part of the module takes what is no tensor")
        graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
        for node in given:
            copies[node] = graph.placeholder(node.name)
        for node in self.waiting:
            copies[node] = graph.node_copy(node, copies.__getitem__)
        graph.output(copies[results[0]])
        self.waiting = []
        self._add(
            Segment(fx.GraphModule(self.traced, graph)),
            tuple(self.slots[node] for node in given),
            results[0],
        )

    def _part(self, node: fx.Node) -> nn.Module | None:
        return self.parts[str(node.target)] if node.op == "call_module" else None

    def _shape(self, node: Any) -> torch.Size:
        """The shape of a node's value; that of a scalar for what is no single tensor."""
        return (
            self.shapes.found.get(node, torch.Size()) if isinstance(node, fx.Node) else torch.Size()
        )

    def _operation(self, node: fx.Node) -> Operation | str | None:
        """What is known of the node; "nothing" where its value is its input's."""
        part = self._part(node)
        if part is not None:
            return self._of_module(part, node)
        if node.op not in ("call_function", "call_method"):
            return None
        target = node.target
        if target in (F.relu, torch.relu, "relu"):
            return Rectify()
        if (
            target in (operator.add, operator.iadd, torch.add)
            and len(node.args) == 2
            and not node.kwargs
        ):
            return (
                Add()
                if self._shape(node.args[0]) == self._shape(node.args[1]) != torch.Size()
                else None
            )
        if target in (operator.mul, torch.mul) and _by_a_number(node):
            return Scale(float(node.args[1]))  # type: ignore[arg-type]
        if (
            target in (torch.amax, "amax")
            and len(self._shape(node.args[0])) == 4
            and _options(node) == {"dim": (2, 3)}
        ):
            return Greatest()
        if target is torch.cat and self._is_of_channels(node):
            return Concatenate()
        if target in (torch.flatten, "flatten") and node.args[1:] == (1,) and not node.kwargs:
            return Flatten()
        if target is F.max_pool2d:
            return _pool(node.args[1:], node.kwargs)
        if (
            target is F.adaptive_avg_pool2d
            and node.args[1:] in ((1,), ((1, 1),))
            and not node.kwargs
        ):
            return Mean()
        return "nothing" if target is F.dropout and not node.kwargs.get("training", True) else None

    def _of_module(self, part: nn.Module, node: fx.Node) -> Operation | str | None:
        given = node.all_input_nodes
        if len(given) != 1:
            return None
        shape = self._shape(given[0])
        if isinstance(part, nn.Conv2d) and PackedConv.fits(part) and len(shape) == 4:
            key = (part, shape[1:])
            self.packed[key] = self.packed.get(key) or PackedConv.of(part, shape)
            return Convolution(self.packed[key], False)
        simple: dict[type[nn.Module], Callable[[Any], Operation | str | None]] = {
            nn.ReLU: lambda _: Rectify(),
            nn.SiLU: lambda _: Swish(),
            nn.Linear: lambda linear: Linear(
                linear.weight.detach(), None if linear.bias is None else linear.bias.detach()
            ),
            nn.AdaptiveAvgPool2d: lambda pool: Mean() if pool.output_size in (1, (1, 1)) else None,
            nn.MaxPool2d: lambda pool: _pool(
                (
                    pool.kernel_size,
                    pool.stride,
                    pool.padding,
                    pool.dilation,
                    pool.ceil_mode,
                    pool.return_indices,
                ),
                {},
            ),
            nn.Flatten: lambda flat: (
                Flatten() if (flat.start_dim, flat.end_dim) == (1, -1) else None
            ),
            nn.Identity: lambda _: "nothing",
            nn.Dropout: lambda drop: None if drop.training else "nothing",
        }
        return simple[type(part)](part) if type(part) in simple else None

    def _is_of_channels(self, node: fx.Node) -> bool:
        dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim", 0)
        values = node.args[0]
        return bool(
            dim == 1
            and isinstance(values, list | tuple)
            and all(len(self._shape(value)) == 4 for value in values)
        )

    def _relu_after(self, node: fx.Node) -> list[fx.Node] | None:
        """The nodes from behind ``node`` up to the ReLU that alone takes its output, nothing but identities between."""
        passed = []
        while len(node.users) == 1:
            (node,) = node.users
            passed.append(node)
            known = None if node.op == "output" else self._operation(node)
            if isinstance(known, Rectify):
                return passed
            if known != "nothing":
                return None
        return None


def _by_a_number(node: fx.Node) -> bool:
    return (
        len(node.args) == 2
        and not node.kwargs
        and isinstance(node.args[0], fx.Node)
        and isinstance(node.args[1], int | float)
    )


def _options(node: fx.Node) -> dict[str, Any]:
    """What a reduction over ``dim`` is told besides its input."""
    given = dict(zip(("dim", "keepdim"), node.args[1:], strict=False)) | node.kwargs
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }


def _arguments(node: fx.Node) -> list[fx.Node]:
    """The tensors a node takes, in order, repeated where it takes one twice."""
    first = node.args[0]
    given = first if isinstance(first, list | tuple) else node.args
    return [value for value in given if isinstance(value, fx.Node)]


def _pool(args: Sequence[Any], kwargs: dict[str, Any]) -> MaxPool | None:
    names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    values = {
        "stride": None,
        "padding": 0,
        "dilation": 1,
        "ceil_mode": False,
        "return_indices": False,
        **kwargs,
    }
    values |= zip(names, args, strict=False)
    if values["return_indices"]:
        return None

    def pair(value: Any) -> list[int]:
        return [value, value] if isinstance(value, int) else list(value)

    stride = values["kernel_size"] if values["stride"] in (None, [], ()) else values["stride"]
    return MaxPool(
        (
            pair(values["kernel_size"]),
            pair(stride),
            pair(values["padding"]),
            pair(values["dilation"]),
            values["ceil_mode"],
        )
    )
