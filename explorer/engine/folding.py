"""Folding batch norms, and the division by the standard deviation, into convolutions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from explorer.engine.tracing import trace

PerColour = tuple[float, ...]


@torch.no_grad()
def fold_batch_norms(module: nn.Module) -> int:
    """Fold each batch norm into the convolution that alone feeds it, in place; returns how many.

    A max pool may stand between the two where the norm's scale is positive, since both then
    commute. A module that can't be traced stays as it is.
    """
    try:
        graph = trace(module)
    except Exception:  # tracing runs a person's own code on proxies, which may fail in any way
        return 0
    parts = dict(module.named_modules())
    calls = _call_counts(graph)
    folded = 0
    for node in graph.nodes:
        norm = parts.get(str(node.target)) if node.op == "call_module" else None
        if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None:
            continue
        source = _convolution_node(node, norm, parts)
        convolution = parts.get(str(source.target)) if source.op == "call_module" else None
        if not isinstance(convolution, nn.Conv2d) or len(source.users) > 1:
            continue
        if calls[str(source.target)] > 1 or calls[str(node.target)] > 1:
            continue
        module.set_submodule(str(source.target), fuse_conv_bn_eval(convolution, norm))
        module.set_submodule(str(node.target), nn.Identity())
        folded += 1
    return folded


def _call_counts(graph: fx.Graph) -> dict[str, int]:
    """How often each sub-module is called."""
    counts: dict[str, int] = {}
    for node in graph.nodes:
        if node.op == "call_module":
            counts[str(node.target)] = counts.get(str(node.target), 0) + 1
    return counts


def _convolution_node(node: fx.Node, norm: nn.BatchNorm2d, parts: dict[str, nn.Module]) -> fx.Node:
    """The node that feeds a batch norm, before a max pool that commutes with it."""
    source = node.args[0]
    assert isinstance(source, fx.Node)
    increasing = norm.weight is None or bool((norm.weight > 0).all())
    pool = isinstance(parts.get(str(source.target)), nn.MaxPool2d)
    if pool and increasing and len(source.users) == 1:
        source = source.args[0]
        assert isinstance(source, fx.Node)
    return source


@torch.no_grad()
def fold_scale(modules: Sequence[nn.Module], std: PerColour) -> bool:
    """Divide the first convolutions' weights by ``std``, in place, if they alone take the images.

    ``modules`` are the same parts run in several ways. Returns False, and changes nothing, where
    anything else takes the images too.
    """
    try:
        first_sets = {frozenset(_first_convolutions(module)) for module in modules}
    except Exception:  # tracing runs a person's own code on proxies, which may fail in any way
        return False
    if len(first_sets) > 1 or None in (convolutions := first_sets.pop()):
        return False
    for convolution in convolutions:
        assert convolution is not None
        convolution.weight.div_(convolution.weight.new_tensor(std).view(1, -1, 1, 1))
    return True


def _first_convolutions(module: nn.Module) -> Iterator[nn.Conv2d | None]:
    """What takes the images: plain convolutions that are called once; None for anything else."""
    graph = trace(module)
    parts = dict(module.named_modules())
    calls = _call_counts(graph)
    for node in graph.nodes:
        if node.op != "placeholder":
            continue
        for user in node.users:
            target = str(user.target)
            once = user.op == "call_module" and calls[target] == 1
            part = parts.get(target) if once else None
            yield part if isinstance(part, nn.Conv2d) and _is_plain(part) else None


def _is_plain(convolution: nn.Conv2d) -> bool:
    return convolution.groups == 1 and convolution.padding_mode == "zeros"
