"""How many channels a network takes: architectures for colour whose weights are for grey images."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from explorer.classifiers.error import ClassifierError
from explorer.classifiers.fitting import under_prefix

_GREY, _COLOUR = 1, 3
_OPTIONS = ("kernel_size", "stride", "padding", "dilation", "padding_mode")


def with_input_of(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """``module``, with a first convolution for grey images if that in ``state`` is for these.

    People replace it in this way to train an architecture on MNIST.
    """
    name, first = _first_convolution(module)
    if first is None or first.in_channels != _COLOUR or first.groups != 1:
        return module
    weight = under_prefix(dict(state), module.state_dict()).get(f"{name}.weight")
    if weight is None or weight.dim() != first.weight.dim() or weight.shape[1] != _GREY:
        return module
    options = {option: getattr(first, option) for option in _OPTIONS}
    has_bias = first.bias is not None
    grey = nn.Conv2d(_GREY, first.out_channels, bias=has_bias, **options)
    owner, _, child = name.rpartition(".")
    setattr(module.get_submodule(owner), child, grey)
    return module


def check_takes_colour(module: nn.Module, name: str) -> None:
    """Raise :class:`ClassifierError` for grey images, which the name of a classifier says not."""
    if takes_grey(module):
        raise ClassifierError(
            f"these weights take grey images, whose mean and standard deviation {name} does not "
            "say; add them on the Models page or by models --add, or write a Python function for "
            "them"
        )


def takes_grey(module: nn.Module) -> bool:
    """Whether the first convolution takes one channel."""
    _, first = _first_convolution(module)
    return first is not None and first.in_channels == _GREY


def _first_convolution(module: nn.Module) -> tuple[str, nn.Conv2d | None]:
    convolutions = (
        (name, part) for name, part in module.named_modules() if isinstance(part, nn.Conv2d)
    )
    return next(convolutions, ("", None))
