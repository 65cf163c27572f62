"""A frozen network as a list of operations, run forwards and back without autograd's bookkeeping.

An attack asks one small network thousands of times for one gradient. What autograd does between the convolutions then costs as much as a
third of them. Here a ReLU's mask is put on the gradient where there is less of it, before a max pool's way back; a convolution's way
back adds to what other branches brought; and autograd sees the network as one node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from explorer.engine.operations import Convolution, MaxPool, Operation, Rectify


@dataclass(frozen=True)
class Line:
    """One operation: the slots its inputs are in and the one its output goes to; slot 0 is what the network is given. ``masked``: the
    gradient of the output ends where the output, which is never negative, is 0. ``last``: slots that nobody reads later."""

    operation: Operation
    inputs: tuple[int, ...]
    output: int
    masked: bool = False
    last: tuple[int, ...] = ()

    @cached_property
    def single(self) -> bool:
        return len(self.inputs) == 1


Kept = tuple[Tensor | None, tuple[Any, ...]]
"""Of one line for its way back: the output where the gradient ends by it, and what the operation keeps."""


class Tape:
    """``lines`` in order; the last one's output is the network's. ``work``: multiplications in the convolutions of one image."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = _with_last_uses(_with_masks(lines))
        self._slots = 1 + max(line.output for line in lines)
        self.work = sum(
            line.operation.part.work for line in lines if isinstance(line.operation, Convolution)
        )

    def __call__(self, images: Tensor) -> Tensor:
        """The output for ``images`` [N, 3, H, W], whose only gradient is theirs."""
        if torch.is_grad_enabled() and images.requires_grad:
            out: Tensor = _Run.apply(images, self)
            return out
        return self.forwards(images, None)

    def look(self, images: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor | None]]:
        """The output, and a function that brings a gradient at it back to the images, once; it returns None if none reaches them.

        Without autograd: its own work, and the pauses it makes between two operations, in which other threads go to sleep, took 8 % of a
        look at one image with SqueezeNet, 20 % on two threads.
        """
        kept: list[Kept] = []
        with torch.no_grad():
            output = self.forwards(images, kept)

        def back(gradient: Tensor) -> Tensor | None:
            with torch.no_grad():
                return self.backwards(gradient, kept)

        return output, back

    def forwards(self, images: Tensor, kept: list[Kept] | None) -> Tensor:
        """The output; what each line's way back needs is put on ``kept``, where there is one."""
        values: list[Any] = [images, *[None] * (self._slots - 1)]
        for line in self.lines:
            if line.single:
                output, needed = line.operation.forward(values[line.inputs[0]])
            else:
                output, needed = line.operation.forward(*(values[slot] for slot in line.inputs))
            if kept is not None:
                kept.append((output if line.masked else None, needed))
            values[line.output] = output
            for slot in line.last:
                values[slot] = None
        return output

    def backwards(self, gradient: Tensor, kept: list[Kept]) -> Tensor | None:
        """The gradient for the images, None if none reaches them. ``kept`` is used up, so that memory comes free on the way."""
        gradients: list[Tensor | None] = [None] * self._slots
        gradients[self.lines[-1].output] = gradient
        for line in reversed(self.lines):
            output, needed = kept.pop()
            arrived, gradients[line.output] = gradients[line.output], None
            if arrived is None:
                continue
            if output is not None:
                arrived = _masked(arrived, output, 0)
            if line.single:
                (slot,) = line.inputs
                (gradients[slot],) = line.operation.backward(arrived, needed, (gradients[slot],))
            else:
                _spread(line, arrived, needed, gradients)
        return gradients[0]


_masked = torch.ops.aten.threshold_backward.default


def _spread(
    line: Line, arrived: Tensor, needed: tuple[Any, ...], gradients: list[Tensor | None]
) -> None:
    """The way back of a line with several inputs, into ``gradients``."""
    again = [slot in line.inputs[:place] for place, slot in enumerate(line.inputs)]  # x + x
    onto = [
        None if repeated else gradients[slot]
        for slot, repeated in zip(line.inputs, again, strict=True)
    ]
    for slot, repeated, found in zip(
        line.inputs, again, line.operation.backward(arrived, needed, onto), strict=True
    ):
        before = gradients[slot] if repeated else None
        gradients[slot] = found if before is None or found is None else before + found


class _Run(torch.autograd.Function):
    """The whole tape as one node. Tensors are handed to autograd to keep, so that whoever counts what it keeps sees them."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, tape: Tape) -> Tensor:
        tensors: list[Tensor] = []

        def place(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            tensors.append(value)
            return _At(len(tensors) - 1)

        kept: list[Kept] = []
        output = tape.forwards(images, kept)
        ctx.tape = tape
        ctx.notes = [
            (place(masked), tuple(place(value) for value in needed)) for masked, needed in kept
        ]
        ctx.save_for_backward(*tensors)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, None]:
        tensors = ctx.saved_tensors

        def found(value: Any) -> Any:
            return tensors[value.index] if isinstance(value, _At) else value

        kept = [
            (found(masked), tuple(found(value) for value in needed)) for masked, needed in ctx.notes
        ]
        return ctx.tape.backwards(gradient, kept), None


@dataclass(frozen=True)
class _At:
    """Where among the kept tensors."""

    index: int


def _with_masks(lines: Sequence[Line]) -> list[Line]:
    """``lines`` with each ReLU's mask behind the max pool that alone takes its output, where there is less to mask: what the pool passes
    on is 0 exactly where its choice was."""
    users: dict[int, int] = {}
    for line in lines:
        for slot in line.inputs:
            users[slot] = users.get(slot, 0) + 1
    users[lines[-1].output] = users.get(lines[-1].output, 0) + 1  # whoever asked
    masked: set[int] = set()
    for line in lines:
        if isinstance(line.operation, Rectify) or (
            isinstance(line.operation, Convolution) and line.operation.relu
        ):
            masked.add(line.output)
        elif (
            isinstance(line.operation, MaxPool)
            and line.inputs[0] in masked
            and users[line.inputs[0]] == 1
        ):
            masked.remove(line.inputs[0])
            masked.add(line.output)
    return [Line(line.operation, line.inputs, line.output, line.output in masked) for line in lines]


def _with_last_uses(lines: Sequence[Line]) -> list[Line]:
    seen: set[int] = set()
    found = []
    for line in reversed(lines):
        last = tuple(set(line.inputs) - seen)
        seen.update(line.inputs)
        found.append(Line(line.operation, line.inputs, line.output, line.masked, last))
    return found[::-1]
