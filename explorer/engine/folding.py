"""Taking out of a frozen network what its convolutions can do by the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Colours = tuple[float, ...]
PROBE = 16  # pixels a side


@torch.no_grad()
def fold_batch_norms(module: nn.Module) -> int:
    """Fold, in place, each batch norm into the convolution that alone feeds it; returns how many were folded.

    A max pool may stand between them where the norm's scale is positive, since both then commute. A module that can't be traced
    is left as it is.
    """
    try:
        graph = fx.Tracer().trace(module)
    except Exception:  # tracing runs the user's own code on stand-ins, which may fail in any way
        return 0
    parts = dict(module.named_modules())
    calls: dict[str, int] = {}
    for node in graph.nodes:
        if node.op == "call_module":
            calls[str(node.target)] = calls.get(str(node.target), 0) + 1
    folded = 0
    for node in graph.nodes:
        norm = parts.get(str(node.target)) if node.op == "call_module" else None
        if (
            not isinstance(norm, nn.BatchNorm2d)
            or norm.running_mean is None
            or norm.running_var is None
        ):
            continue
        rising = norm.weight is None or bool((norm.weight > 0).all())
        source = node.args[0]
        if (
            isinstance(parts.get(str(source.target)), nn.MaxPool2d)
            and rising
            and len(source.users) == 1
        ):
            source = source.args[0]
        convolution = parts.get(str(source.target)) if source.op == "call_module" else None
        if not isinstance(convolution, nn.Conv2d) or len(source.users) > 1:
            continue
        if calls[str(source.target)] > 1 or calls[str(node.target)] > 1:
            continue
        module.set_submodule(str(source.target), fuse_conv_bn_eval(convolution, norm))
        module.set_submodule(str(node.target), nn.Identity())
        folded += 1
    return folded


@torch.no_grad()
def fold_scale(modules: Sequence[nn.Module], std: Colours) -> bool:
    """Divide by ``std`` in the weights of the convolutions that alone are given the images, in place; False where others are too.
    ``modules`` are the same parts, run in several ways."""
    try:
        firsts = {frozenset(_first_convolutions(module)) for module in modules}
    except Exception:  # tracing runs the user's own code on stand-ins, which may fail in any way
        return False
    if len(firsts) > 1 or None in (convolutions := firsts.pop()):
        return False
    for convolution in convolutions:
        assert convolution is not None
        convolution.weight.div_(convolution.weight.new_tensor(std).view(1, 3, 1, 1))
    return True


def _first_convolutions(module: nn.Module) -> Iterator[nn.Conv2d | None]:
    """Those that take the images, None for anything else that does, or for one that is called again."""
    graph = fx.Tracer().trace(module)
    parts = dict(module.named_modules())
    calls = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    for node in graph.nodes:
        if node.op == "placeholder":
            for user in node.users:
                part = (
                    parts.get(str(user.target))
                    if user.op == "call_module" and calls.count(str(user.target)) == 1
                    else None
                )
                yield (
                    part
                    if isinstance(part, nn.Conv2d)
                    and part.groups == 1
                    and part.padding_mode == "zeros"
                    else None
                )


@torch.no_grad()
def fold_prefix(
    module: nn.Module, mean: Colours, std: Colours
) -> tuple[nn.Module, Colours, Colours]:
    """``module`` without what it does to each colour before its first convolution, where that is a scale and a shift, and the normalisation
    that does the same. torchvision's Inceptions take their images in another range and begin so."""
    try:
        graph = fx.Tracer().trace(module)
        before = _before_first_convolution(module, graph)
        found = None if before is None else _scale_and_shift(module, *before)
    except Exception:  # as above
        return module, mean, std
    if before is None or found is None:
        return module, mean, std
    given, end = before
    end.replace_all_uses_with(given)
    scale, shift = found
    return (
        _alive(module, graph),
        tuple(m - s * b / a for m, s, a, b in zip(mean, std, scale, shift, strict=True)),
        tuple(s / a for s, a in zip(std, scale, strict=True)),
    )


def _before_first_convolution(module: nn.Module, graph: fx.Graph) -> tuple[fx.Node, fx.Node] | None:
    """The node of the images and the one that the first convolution is given, where nothing else takes what leads there."""
    parts = dict(module.named_modules())
    nodes = list(graph.nodes)
    first = next(
        (
            node
            for node in nodes
            if node.op == "call_module" and isinstance(parts[str(node.target)], nn.Conv2d)
        ),
        None,
    )
    if (
        first is None
        or nodes[0].op != "placeholder"
        or not isinstance(end := first.args[0], fx.Node)
        or end is nodes[0]
    ):
        return None
    path, waiting = {end}, [end]
    while waiting:
        more = [node for node in waiting.pop().all_input_nodes if node not in path]
        path.update(more)
        waiting += more
    alone = all(user in path for node in path if node is not end for user in node.users)
    return (nodes[0], end) if alone and nodes[0] in path else None


def _scale_and_shift(
    module: nn.Module, given: fx.Node, end: fx.Node
) -> tuple[Colours, Colours] | None:
    """What is done between the two nodes, as a positive scale and a shift for each colour; None where it is anything else."""
    graph, copies = fx.Graph(), dict[fx.Node, fx.Node]()
    for node in given.graph.nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
        if node is end:
            break
    graph.output(copies[end])
    function = _alive(module, graph)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((2, 3, PROBE, PROBE), generator=generator)
    device = next((value.device for value in module.parameters()), images.device)
    images = images.to(device)
    shift, sum_ = function(torch.zeros_like(images)), function(torch.ones_like(images))
    if shift.shape != images.shape:
        return None
    a, b = (sum_ - shift)[:1, :, :1, :1], shift[:1, :, :1, :1]
    if bool((a <= 0).any()) or not torch.allclose(function(images), a * images + b, atol=1e-5):
        return None
    return tuple(a.flatten().tolist()), tuple(b.flatten().tolist())


def _alive(module: nn.Module, graph: fx.Graph) -> fx.GraphModule:
    """``graph`` as a module, without what leads nowhere."""
    found = fx.GraphModule(module, graph)
    found.graph.eliminate_dead_code()
    found.recompile()
    return found
