"""Reading a module into a :class:`~explorer.engine.tape.Tape`."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from torch import Tensor, fx, nn

from explorer.engine.attention import SelfAttention
from explorer.engine.constants import fold_constants
from explorer.engine.fusion import fuse_sibling_convs
from explorer.engine.node_options import IDENTITY
from explorer.engine.operations import (
    Add,
    Concatenate,
    Convolution,
    Operation,
    ReLU,
    Scale,
)
from explorer.engine.prepacked import Prepacked
from explorer.engine.recognition import Recognizer
from explorer.engine.segments import AutogradSegment, Item
from explorer.engine.tape import Instruction, Tape
from explorer.engine.tracing import trace


class CaptureError(Exception):
    """The module is not a plain graph of operations on tensors; another form must serve."""


def capture(
    module: nn.Module, images: Tensor, prepacked: Prepacked, until: nn.Module | None = None
) -> Tape:
    """The tape of a frozen ``module`` for inputs like ``images`` [N, 3, H, W].

    It ends with the module's output, or with the input of its part ``until``. ``prepacked`` holds
    the prepacked layers, which the tapes of one module share. What the engine does not know falls
    to autograd, piece by piece. Raises :class:`CaptureError`,
    and whatever tracing or running the module raises.
    """
    for part in module.modules():
        if getattr(part, "inplace", False):
            part.inplace = False  # type: ignore[assignment]
    traced = fx.GraphModule(module, trace(module))
    fold_constants(traced)
    _remove_unused_items(traced.graph)
    recorder = _Capture(traced, Recognizer(traced, images, prepacked), prepacked)
    tape = Tape(fuse_sibling_convs(recorder.instructions(until), prepacked.convs))
    tape(images)  # segments prepack their layers, always for the same number of rows
    return tape


def _remove_unused_items(graph: fx.Graph) -> None:
    """Remove what was taken out of tuples and never used, such as attention's weights."""
    for node in reversed(list(graph.nodes)):
        if node.target is operator.getitem and not node.users:
            graph.erase_node(node)


class _Capture:
    """Goes through a traced module. Unknown nodes wait until they can be one autograd segment."""

    def __init__(
        self, traced: fx.GraphModule, recognizer: Recognizer, prepacked: Prepacked
    ) -> None:
        self._traced, self._recognizer, self._prepacked = traced, recognizer, prepacked
        self._registers: dict[fx.Node, int] = {}
        self._instructions: list[Instruction] = []
        self._unknown: list[fx.Node] = []

    def instructions(self, until: nn.Module | None) -> list[Instruction]:
        for node in self._traced.graph.nodes:
            if node.op == "placeholder":
                if self._registers:
                    raise CaptureError("the module takes more than one input")
                self._registers[node] = 0
            elif node.op == "output" or self._is_end(node, until):
                self._finish(node)
                return self._instructions
            elif node not in self._registers and node.op != "get_attr":
                self._read(node)
        raise CaptureError("the part was never reached")

    def _is_end(self, node: fx.Node, until: nn.Module | None) -> bool:
        return until is not None and self._recognizer.part(node) is until

    def _finish(self, node: fx.Node) -> None:
        result = node.args[0]
        if not isinstance(result, fx.Node):
            raise CaptureError("the module returns no tensor")
        self._close_segment([result])
        if result not in self._registers:
            raise CaptureError("the module returns one of its weights")
        if not self._instructions or self._registers[result] != self._instructions[-1].output:
            raise CaptureError("what is returned is not what was computed last")

    def _read(self, node: fx.Node) -> None:
        operation = self._recognizer.operation(node)
        if operation is None or self._belongs_to_segment(operation, node):
            self._unknown.append(node)
            return
        inputs = [value for value in node.all_input_nodes if value.op != "get_attr"]
        self._close_segment(inputs)
        if isinstance(operation, str):
            self._registers[node] = self._registers[inputs[0]]
            return
        if isinstance(operation, Convolution):
            relu, nodes = self._relu_after(node)
            if relu is not None:
                operation = Convolution(operation.conv, relu.rectifier)
                for passed in nodes:
                    self._registers[passed] = len(self._instructions) + 1
        arguments = _tensor_arguments(node)
        if isinstance(operation, SelfAttention):  # queries, keys and values are the same rows
            arguments = arguments[:1]
        registers = tuple(self._registers[value] for value in arguments)
        self._append(operation, registers, node)

    def _belongs_to_segment(self, operation: Operation | str, node: fx.Node) -> bool:
        """Whether a known node is better left to autograd, with the unknown nodes before it."""
        if isinstance(operation, Scale):  # arithmetic among unknown nodes
            return bool(self._unknown)
        joins = isinstance(operation, Add | Concatenate) and len(self._open_results(())) > 1
        return joins and all(value in self._unknown for value in node.all_input_nodes)

    def _append(self, operation: Operation, registers: tuple[int, ...], node: fx.Node) -> None:
        output = len(self._instructions) + 1
        self._instructions.append(Instruction(operation, registers, output))
        self._registers[node] = output

    def _open_results(self, wanted: Sequence[fx.Node]) -> list[fx.Node]:
        """Unknown nodes whose value is ``wanted``, or used by nodes that are known."""
        return [
            node
            for node in self._unknown
            if node in wanted or any(user not in self._unknown for user in node.users)
        ]

    def _close_segment(self, wanted: Sequence[fx.Node]) -> None:
        """Make one segment of the unknown nodes."""
        if not self._unknown:
            return
        takers = (value for node in self._unknown for value in node.all_input_nodes)
        inputs = list(dict.fromkeys(value for value in takers if value not in self._unknown))
        constants = [node for node in inputs if node.op == "get_attr"]
        inputs = [node for node in inputs if node.op != "get_attr"]
        results = self._open_results(wanted)
        if not results:
            self._unknown = []
            return
        graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
        for node in inputs:
            copies[node] = graph.placeholder(node.name)
        for node in (*constants, *self._unknown):
            copies[node] = graph.node_copy(node, copies.__getitem__)
        graph.output(tuple(copies[result] for result in results))
        self._unknown = []
        segment = AutogradSegment(
            fx.GraphModule(self._traced, graph), len(results), self._prepacked.products
        )
        registers = tuple(self._registers[node] for node in inputs)
        self._append(segment, registers, results[0])
        if len(results) > 1:
            whole = len(self._instructions)
            for place, result in enumerate(results):
                self._append(Item(place, len(results)), (whole,), result)

    def _relu_after(self, node: fx.Node) -> tuple[ReLU | None, list[fx.Node]]:
        """The ReLU that alone uses the output of ``node``, if there is one; the nodes up to it.

        Only identities may stand between the two.
        """
        passed: list[fx.Node] = []
        while len(node.users) == 1:
            (node,) = node.users
            passed.append(node)
            operation = None if node.op == "output" else self._recognizer.operation(node)
            if isinstance(operation, ReLU):
                return operation, passed
            if operation != IDENTITY:
                break
        return None, []


def _tensor_arguments(node: fx.Node) -> list[fx.Node]:
    """The tensors that a node takes, in order, repeated where it takes one twice."""
    first = node.args[0]
    arguments = first if isinstance(first, list | tuple) else node.args
    return [value for value in arguments if isinstance(value, fx.Node) and value.op != "get_attr"]
