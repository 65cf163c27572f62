"""Convolutions of one input computed as one, such as the three 1 × 1 of an Inception block."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.engine.convolution import PackedConv
from explorer.engine.operations import Convolution, Gradients, Saved
from explorer.engine.tape import Instruction


@dataclass(frozen=True)
class ChannelSlice:
    """``count`` channels from ``first`` on, of ``total``.

    Its backward pass fills its part of one gradient that all slices share.
    """

    first: int
    count: int
    total: int

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Saved]:
        return inputs[0].narrow(1, self.first, self.count), ()

    def backward(self, gradient: Tensor, saved: Saved, partial: Gradients) -> Gradients:
        whole = partial[0]
        if whole is None:
            whole = torch.empty(
                (gradient.shape[0], self.total, *gradient.shape[2:]),
                dtype=gradient.dtype,
                device=gradient.device,
                memory_format=torch.channels_last,
            ).zero_()
        whole.narrow(1, self.first, self.count).copy_(gradient)
        return (whole,)


def fuse_sibling_convs(
    instructions: Sequence[Instruction], prepacked: dict[Hashable, PackedConv]
) -> list[Instruction]:
    """``instructions`` with convolutions of one input fused where only their weights differ.

    ``prepacked`` keeps the fused convolutions for other tapes of the same network.
    """
    groups: dict[Hashable, list[Instruction]] = {}
    for instruction in instructions:
        groups.setdefault(_group(instruction), []).append(instruction)
    fused: list[Instruction] = []
    registers = max((each.output for each in instructions), default=0)
    for instruction in instructions:
        group = groups[_group(instruction)]
        if len(group) == 1:
            fused.append(instruction)
        elif instruction is group[0]:
            registers += 1
            fused += _as_one(group, registers, prepacked)
    return fused


def _group(instruction: Instruction) -> Hashable:
    """Equal for instructions that can be fused."""
    operation = instruction.operation
    if isinstance(operation, Convolution) and operation.conv.settings.groups == 1:
        return instruction.inputs, operation.relu, operation.conv.kind
    return instruction.output


def _as_one(
    group: Sequence[Instruction], register: int, prepacked: dict[Hashable, PackedConv]
) -> list[Instruction]:
    """One convolution into ``register``, and a slice of its channels for each of ``group``."""
    operations = [each.operation for each in group if isinstance(each.operation, Convolution)]
    convs = tuple(operation.conv for operation in operations)
    joined = prepacked.get(convs) or PackedConv.joined(convs)
    prepacked[convs] = joined
    whole = Convolution(joined, operations[0].relu)
    fused = [Instruction(whole, group[0].inputs, register)]
    first = 0
    for conv, instruction in zip(convs, group, strict=True):
        channels = ChannelSlice(first, len(conv.weight), len(joined.weight))
        fused.append(Instruction(channels, (register,), instruction.output))
        first += len(conv.weight)
    return fused
