"""A network captured as a tape, and compared with the network itself."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from explorer.engine.capture import capture
from explorer.engine.prepacked import Prepacked
from explorer.engine.tape import Tape


def channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def cotangent_of(output: Tensor) -> Tensor:
    """A gradient at the output, always the same."""
    return torch.randn(output.shape, generator=torch.Generator().manual_seed(1)).to(output)


def autograd_vjp(function: Callable[[Tensor], Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """Autograd's output, and its gradient for the images."""
    leaf = images.clone().requires_grad_(True)
    output = function(leaf)
    (gradient,) = torch.autograd.grad(output, leaf, cotangent_of(output))
    return output.detach(), gradient


def assert_near(actual: Tensor, expected: Tensor) -> None:
    tolerance = 2e-4 * float(expected.abs().max())
    torch.testing.assert_close(actual, expected, atol=tolerance, rtol=1e-3)


def captured(module: nn.Module, images: Tensor) -> Tape:
    """The module's tape, compared with the module, also at another batch size."""
    module = module.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    tape = capture(copy.deepcopy(module), images[:1], Prepacked())
    for batch in (images, images[:1]):
        output, gradient = autograd_vjp(module, batch)
        tape_output, vjp = tape.vjp(batch)
        assert_near(tape_output, output)
        tape_gradient = vjp(cotangent_of(output))
        assert tape_gradient is not None
        assert_near(tape_gradient, gradient)
        assert torch.equal(tape(batch), tape_output)
    return tape


def noise(n: int = 3, side: int = 12) -> Tensor:
    return channels_last(
        torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(2)) - 0.5
    )
