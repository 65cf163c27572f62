"""Operations of the engine from the options of torch's modules and of traced calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import fx, nn

from explorer.engine import activations
from explorer.engine.layers import AvgPool, FrozenBatchNorm, LayerNorm, Permute
from explorer.engine.operations import (
    Flatten,
    GlobalAvgPool,
    Linear,
    MaxPool,
    Operation,
    ReLU,
)
from explorer.engine.rectifier import Rectifier

IDENTITY = "identity"
"""Stands for a node whose value is its input's."""

Recognized = Operation | str | None
"""An operation, :data:`IDENTITY`, or None for a node that the engine does not know."""


def is_binary(node: fx.Node) -> bool:
    return len(node.args) == 2 and not node.kwargs


def is_by_a_number(node: fx.Node) -> bool:
    if not is_binary(node):
        return False
    return isinstance(node.args[0], fx.Node) and isinstance(node.args[1], int | float)


def reduction(node: fx.Node) -> dict[str, Any]:
    """The options of a reduction over ``dim``."""
    options = dict(zip(("dim", "keepdim"), node.args[1:], strict=False)) | node.kwargs
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }


def linear(part: nn.Linear) -> Linear:
    return Linear(part.weight.detach(), None if part.bias is None else part.bias.detach())


def pool_module(part: nn.MaxPool2d) -> MaxPool | None:
    settings = (part.kernel_size, part.stride, part.padding, part.dilation)
    return max_pool((*settings, part.ceil_mode, part.return_indices), {})


def frozen_norm(part: nn.BatchNorm2d) -> FrozenBatchNorm:
    assert part.running_mean is not None
    assert part.running_var is not None
    weight, bias = (None if each is None else each.detach() for each in (part.weight, part.bias))
    return FrozenBatchNorm(part.running_mean, part.running_var, weight, bias, part.eps)


def norm_module(part: nn.LayerNorm) -> LayerNorm:
    weight, bias = (None if each is None else each.detach() for each in (part.weight, part.bias))
    return LayerNorm(tuple(part.normalized_shape), weight, bias, part.eps)


def contains(shape: torch.Size, other: torch.Size) -> bool:
    """Whether a product of both shapes has the first one."""
    try:
        return torch.broadcast_shapes(shape, other) == shape and len(shape) > 0
    except RuntimeError:
        return False


def permutation(node: fx.Node) -> Recognized:
    order = node.args[1:]
    if len(order) == 1 and isinstance(order[0], list | tuple):
        order = tuple(order[0])
    is_plain = not node.kwargs and order and all(isinstance(each, int) for each in order)
    return Permute(tuple(order)) if is_plain else None  # type: ignore[arg-type]


def spatial_mean(node: fx.Node) -> Recognized:
    options = reduction(node)
    flat = not options.pop("keepdim", False)
    return GlobalAvgPool(flat) if options in ({"dim": (2, 3)}, {"dim": (-2, -1)}) else None


def is_off(node: fx.Node) -> bool:
    """Whether torchvision's stochastic depth lets all pass: its last argument is the mode."""
    return len(node.args) == 4 and node.args[3] is False


def avg_pool(args: Sequence[Any], kwargs: dict[str, Any]) -> AvgPool | None:
    names = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
    defaults = {"stride": None, "padding": 0, "ceil_mode": False, "count_include_pad": True}
    options = {**defaults, **kwargs} | dict(zip(names, args, strict=False))
    if options.pop("divisor_override", None) is not None or len(args) > len(names):
        return None
    if options["stride"] in (None, [], ()):
        options["stride"] = options["kernel_size"]
    flags = options["ceil_mode"], options["count_include_pad"]
    return AvgPool((*(pair(options[name]) for name in names[:3]), *flags, None))


MODULES: dict[type[nn.Module], Callable[[Any], Recognized]] = {
    **activations.MODULES,
    nn.LayerNorm: norm_module,
    nn.AvgPool2d: lambda p: avg_pool(
        (p.kernel_size, p.stride, p.padding, p.ceil_mode, p.count_include_pad),
        {"divisor_override": p.divisor_override},
    ),
    nn.ReLU: lambda _: ReLU(Rectifier()),
    nn.ReLU6: lambda _: ReLU(Rectifier(6.0)),
    nn.Linear: linear,
    nn.AdaptiveAvgPool2d: lambda p: GlobalAvgPool() if p.output_size in (1, (1, 1)) else None,
    nn.MaxPool2d: pool_module,
    nn.Flatten: lambda p: Flatten() if (p.start_dim, p.end_dim) == (1, -1) else None,
    nn.Identity: lambda _: IDENTITY,
    nn.Dropout: lambda p: None if p.training else IDENTITY,
}


def max_pool(args: Sequence[Any], kwargs: dict[str, Any]) -> MaxPool | None:
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

    return MaxPool((*(pair(options[name]) for name in names[:4]), options["ceil_mode"]))


def pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else list(value)
