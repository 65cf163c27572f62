"""A frozen network as a list of instructions, run forward and backward without autograd.

An attack asks a small network thousands of times for one gradient. Autograd's bookkeeping between
the convolutions then costs as much as a third of them. A tape applies a ReLU's mask after a max
pool, where the gradient is smaller, and lets a convolution's backward pass add to what other
branches brought.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from explorer.engine.operations import Convolution, MaxPool, Operation, ReLU, Saved
from explorer.engine.rectifier import Rectifier


@dataclass(frozen=True)
class Instruction:
    """One operation, the registers of its inputs and the register of its output.

    Register 0 holds the network's input. ``mask``: what rectified the output, and where its
    gradient ends. ``last_uses``: registers that no later instruction reads.
    """

    operation: Operation
    inputs: tuple[int, ...]
    output: int
    mask: Rectifier | None = None
    last_uses: tuple[int, ...] = ()

    @cached_property
    def single(self) -> bool:
        return len(self.inputs) == 1


Record = tuple[Tensor | None, Saved]
"""What an instruction needs for its backward pass: its output if it has a mask, its tensors."""


class Tape:
    """``instructions`` in order; the output of the last one is the network's."""

    def __init__(self, instructions: Sequence[Instruction]) -> None:
        self.instructions = _with_last_uses(_with_masks(instructions))
        self._registers = 1 + max(each.output for each in instructions)

    def __call__(self, images: Tensor) -> Tensor:
        """The output for ``images`` [N, 3, H, W], without a gradient."""
        with torch.no_grad():
            return self._forward(images, None)

    def vjp(self, images: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor | None]]:
        """The output, and a function from a gradient at the output to the one at the images.

        The function works once, and returns None where no gradient reaches the images. Autograd's
        own work, and the pauses it makes between two operations, in which other threads fall
        asleep, took 8 % of a gradient of SqueezeNet for one image, and 20 % on two threads.
        """
        records: list[Record] = []
        with torch.no_grad():
            output = self._forward(images, records)

        def backward(gradient: Tensor) -> Tensor | None:
            with torch.no_grad():
                return self._backward(gradient, records)

        return output, backward

    def record(self, images: Tensor) -> tuple[Tensor, list[Record]]:
        """The output, and what each instruction keeps for its backward pass."""
        records: list[Record] = []
        with torch.no_grad():
            return self._forward(images, records), records

    def _forward(self, images: Tensor, records: list[Record] | None) -> Tensor:
        values: list[Any] = [images, *[None] * (self._registers - 1)]
        for instruction in self.instructions:
            if instruction.single:
                output, saved = instruction.operation.forward(values[instruction.inputs[0]])
            else:
                inputs = (values[register] for register in instruction.inputs)
                output, saved = instruction.operation.forward(*inputs)
            if records is not None:
                records.append((None if instruction.mask is None else output, saved))
            values[instruction.output] = output
            for register in instruction.last_uses:
                values[register] = None
        return output

    def _backward(self, gradient: Tensor, records: list[Record]) -> Tensor | None:
        """The gradient for the images. ``records`` is used up, which frees memory on the way."""
        gradients: list[Tensor | None] = [None] * self._registers
        gradients[self.instructions[-1].output] = gradient
        for instruction in reversed(self.instructions):
            output, saved = records.pop()
            arriving = gradients[instruction.output]
            gradients[instruction.output] = None
            if arriving is None:
                continue
            if instruction.mask is not None and output is not None:
                arriving = instruction.mask.masked(arriving, output)
            if instruction.single:
                (register,) = instruction.inputs
                partial = (gradients[register],)
                (gradients[register],) = instruction.operation.backward(arriving, saved, partial)
            else:
                _distribute(instruction, arriving, saved, gradients)
        return gradients[0]


def _distribute(
    instruction: Instruction, arriving: Tensor, saved: Saved, gradients: list[Tensor | None]
) -> None:
    """The backward pass of an instruction with several inputs, into ``gradients``."""
    registers = instruction.inputs
    # In x + x the second occurrence adds to the first one's result and not to what was there.
    repeated = [register in registers[:place] for place, register in enumerate(registers)]
    partial = [
        None if again else gradients[register]
        for register, again in zip(registers, repeated, strict=True)
    ]
    results = instruction.operation.backward(arriving, saved, partial)
    for register, again, result in zip(registers, repeated, results, strict=True):
        before = gradients[register] if again else None
        gradients[register] = result if before is None or result is None else before + result


def _with_masks(instructions: Sequence[Instruction]) -> list[Instruction]:
    """``instructions`` with each ReLU's mask after the max pool that alone takes its output.

    There is less to mask there: the pool's output is 0 or the ceiling exactly where its choice was.
    """
    users: dict[int, int] = {}
    for instruction in instructions:
        for register in instruction.inputs:
            users[register] = users.get(register, 0) + 1
    network_output = instructions[-1].output
    users[network_output] = users.get(network_output, 0) + 1
    masks: dict[int, Rectifier] = {}
    for instruction in instructions:
        operation, source = instruction.operation, instruction.inputs[0]
        if isinstance(operation, ReLU):
            masks[instruction.output] = operation.rectifier
        elif isinstance(operation, Convolution) and operation.relu is not None:
            masks[instruction.output] = operation.relu
        elif isinstance(operation, MaxPool) and source in masks and users[source] == 1:
            masks[instruction.output] = masks.pop(source)
    return [replace(each, mask=masks.get(each.output)) for each in instructions]


def _with_last_uses(instructions: Sequence[Instruction]) -> list[Instruction]:
    read_later: set[int] = set()
    reversed_result = []
    for instruction in reversed(instructions):
        last_uses = tuple(set(instruction.inputs) - read_later)
        read_later.update(instruction.inputs)
        reversed_result.append(replace(instruction, last_uses=last_uses))
    return reversed_result[::-1]
