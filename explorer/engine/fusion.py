"""Convolutions that look at the same values in the same way, done as one: an Inception's three 1 × 1, of few channels each."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.engine.convolution import PackedConv
from explorer.engine.operations import Convolution, Gradients
from explorer.engine.tape import Line


@dataclass(frozen=True)
class Channels:
    """Those from ``first`` on, ``many`` of ``of``. Its way back fills its part of a gradient that all parts share."""

    first: int
    many: int
    of: int

    def forward(self, *inputs: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        return inputs[0].narrow(1, self.first, self.many), ()

    def backward(self, gradient: Tensor, kept: tuple[Any, ...], onto: Gradients) -> Gradients:
        whole = onto[0]
        if whole is None:
            shape = (gradient.shape[0], self.of, *gradient.shape[2:])
            whole = torch.empty(
                shape,
                dtype=gradient.dtype,
                device=gradient.device,
                memory_format=torch.channels_last,
            ).zero_()
        whole.narrow(1, self.first, self.many).copy_(gradient)
        return (whole,)


def merged(lines: Sequence[Line], packed: dict[Hashable, PackedConv]) -> list[Line]:
    """``lines`` with convolutions of one input merged where they differ in nothing but their weights. ``packed`` remembers what was
    merged."""
    groups: dict[Hashable, list[Line]] = {}
    for line in lines:
        groups.setdefault(_kind(line), []).append(line)
    found: list[Line] = []
    slots = max((line.output for line in lines), default=0)
    for line in lines:
        group = groups[_kind(line)]
        if len(group) == 1:
            found.append(line)
        elif line is group[0]:
            slots += 1
            found += _as_one(group, slots, packed)
    return found


def _kind(line: Line) -> Hashable:
    """The same for lines that can be merged."""
    operation = line.operation
    if isinstance(operation, Convolution) and operation.part.groups == 1:
        return line.inputs, operation.relu, operation.part.kind
    return line.output


def _as_one(group: Sequence[Line], slot: int, packed: dict[Hashable, PackedConv]) -> list[Line]:
    """One convolution, whose output goes to ``slot``, and the channels of each of ``group``."""
    operations = [line.operation for line in group if isinstance(line.operation, Convolution)]
    parts = tuple(operation.part for operation in operations)
    whole = packed.get(parts) or PackedConv.joined(parts)
    packed[parts] = whole
    found = [Line(Convolution(whole, operations[0].relu), group[0].inputs, slot)]
    first = 0
    for part, line in zip(parts, group, strict=True):
        found.append(
            Line(Channels(first, len(part.weight), len(whole.weight)), (slot,), line.output)
        )
        first += len(part.weight)
    return found
