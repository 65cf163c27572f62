"""A convolution with prepacked weights is the convolution, with its input gradient."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.engine.convolution import PackedConv
from explorer.engine.rectifier import Rectifier
from tests.engine.capturing import autograd_vjp, channels_last, cotangent_of


@pytest.mark.parametrize(
    ("options", "side"),
    [
        ({"kernel_size": 3, "padding": 1}, (9, 9)),
        ({"kernel_size": (1, 5), "padding": (0, 2)}, (9, 7)),
        ({"kernel_size": 2, "padding": 3}, (9, 9)),  # more padding than a kernel reaches
        ({"kernel_size": 7, "padding": 3, "stride": 2}, (16, 15)),
        ({"kernel_size": 3, "stride": 2}, (10, 12)),  # the last row and column are in no window
        ({"kernel_size": 4, "stride": 4, "padding": 1}, (17, 13)),
        ({"kernel_size": 1, "stride": 2}, (9, 9)),
        ({"kernel_size": 1}, (9, 7)),
        ({"kernel_size": 1, "bias": False}, (9, 9)),
        ({"kernel_size": 1, "padding": 1}, (9, 9)),
        ({"kernel_size": 1}, (1, 1)),
        ({"kernel_size": 3, "groups": 3, "padding": 1}, (9, 9)),
        ({"kernel_size": 3, "dilation": 2}, (9, 9)),
        ({"kernel_size": 3, "stride": (2, 1), "bias": False}, (9, 9)),
    ],
)
@pytest.mark.parametrize("relu", [None, nn.ReLU(), nn.ReLU6()])
def test_a_packed_convolution_is_the_convolution(
    relu: nn.Module | None, options: dict[str, object], side: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 6, **options).requires_grad_(False)  # type: ignore[arg-type]
    conv = conv.to(memory_format=torch.channels_last)
    module = conv if relu is None else nn.Sequential(conv, relu)
    rectifier = {None: None, nn.ReLU: Rectifier(), nn.ReLU6: Rectifier(6.0)}[relu and type(relu)]
    packed = PackedConv.of(conv, torch.Size((1, 3, *side)))
    images = channels_last(10 * torch.randn(2, 3, *side))  # some outputs exceed 6
    output, gradient = autograd_vjp(module, images)
    torch.testing.assert_close(packed.forward(images, rectifier), output)
    cotangent = channels_last(cotangent_of(output))
    if rectifier is not None:
        cotangent = rectifier.masked(cotangent, output)
    needed = images if packed.backward_needs(images) else None
    result = packed.input_gradient(cotangent, needed, None)
    torch.testing.assert_close(result, gradient, atol=1e-5, rtol=1e-4)
    partial = channels_last(torch.randn(images.shape))
    result = packed.input_gradient(cotangent, needed, partial.clone())
    torch.testing.assert_close(result, partial + gradient, atol=1e-5, rtol=1e-4)
    other = channels_last(torch.randn(1, 3, side[0] + 2, side[1]))  # a size it was not packed for
    torch.testing.assert_close(packed.forward(other, rectifier), module(other))
    assert packed.backward_needs(other)
