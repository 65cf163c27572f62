"""Convolutions for a CPU with bfloat16 units: weights laid out once for the processor, the ReLU behind them in the same pass, and the
gradient for the input as a convolution of its own.

A frozen copy takes thousands of steps with the same weights, while torch lays them out anew in every call, forward and backward.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.engine.onednn import OPERATORS
from explorer.engine.pointwise import Pointwise

FEW = 16  # channels of the gradient for the input times its phases: with more, torch's own backward is quicker


@dataclass(frozen=True)
class _Laid:
    """Weights as the processor wants them, ahead and back; or the product they make."""

    ahead: Tensor | None = None
    back: Tensor | None = None
    product: Pointwise | None = None


class PackedConv:
    """A frozen convolution packed for inputs of one height and width.

    Inputs of another height or width go through the weights as they were: those packed for other sizes would have to be laid out anew
    in every call, which took SqueezeNet nine times as long at 112 × 112.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        padding: list[int],
        stride: list[int],
        dilation: list[int],
        groups: int,
        shape: torch.Size,
    ) -> None:
        self.weight, self.bias, self.shape, self.side = weight, bias, shape, shape[2:]
        self.padding, self.stride, self.dilation, self.groups = padding, stride, dilation, groups
        out = [
            int(shape[0]),
            weight.shape[0],
            *(
                (side + 2 * pad - reach * (kernel - 1) - 1) // step + 1
                for side, pad, reach, kernel, step in zip(
                    shape[2:],
                    self.padding,
                    self.dilation,
                    weight.shape[2:],
                    self.stride,
                    strict=True,
                )
            ),
        ]
        self.work = weight.numel() * out[2] * out[3]  # multiplications for one image
        self._is_product = Pointwise.fits(weight, padding, stride, groups)
        self._phases: Tensor | None = None
        self.reach = [0, 0]
        if not self._is_product and self._is_a_convolution_backwards(weight):
            self._phases = _phases(weight, self.stride[0])
            sides = zip(self._phases.shape[2:], padding, strict=True)
            self.reach = [side - 1 - (pad if stride[0] == 1 else 0) for side, pad in sides]
        self._out = torch.Size(out)
        self._laid: dict[int, _Laid] = {}
        self._laid_here()

    def _laid_here(self) -> _Laid:
        """As it is best for as many threads as torch has here. Laid out for two, GoogLeNet's took one thread 1.25 times as long."""
        threads = torch.get_num_threads()
        found = self._laid.get(threads)
        if found is None:
            found = self._laid[threads] = self._lay_out()
        return found

    def _lay_out(self) -> _Laid:
        if self._is_product:
            return _Laid(product=Pointwise(self.weight, self.bias, self.shape[2] * self.shape[3]))
        ahead = _packed(
            self.weight, self.padding, self.stride, self.dilation, self.groups, self.shape
        )
        if self._phases is None:
            return _Laid(ahead)
        return _Laid(ahead, _packed(self._phases, self.reach, [1, 1], [1, 1], 1, self._out))

    @classmethod
    def of(cls, conv: nn.Conv2d, shape: torch.Size) -> PackedConv:
        """Packed for inputs of ``shape`` [N, C, H, W], any N."""
        bias, padding = (
            None if conv.bias is None else conv.bias.detach(),
            [int(side) for side in conv.padding],
        )
        return cls(
            conv.weight.detach(),
            bias,
            padding,
            list(conv.stride),
            list(conv.dilation),
            conv.groups,
            shape,
        )

    @classmethod
    def joined(cls, parts: Sequence[PackedConv]) -> PackedConv:
        """One with the outputs of ``parts`` one after the other; all must be of one ``kind``."""
        first, biases = parts[0], [part.bias for part in parts if part.bias is not None]
        weight = torch.cat([part.weight for part in parts]).contiguous(
            memory_format=torch.channels_last
        )
        bias = torch.cat(biases) if biases else None
        return cls(
            weight, bias, first.padding, first.stride, first.dilation, first.groups, first.shape
        )

    @property
    def kind(self) -> Hashable:
        """The same for convolutions that look at their inputs in the same way."""
        return (
            self.shape,
            self.weight.shape[1:],
            self.bias is None,
            *map(tuple, (self.padding, self.stride, self.dilation)),
            self.groups,
        )

    @staticmethod
    def fits(conv: nn.Conv2d) -> bool:
        """Whether ``conv`` is of a kind that can be packed."""
        return conv.padding_mode == "zeros" and not isinstance(conv.padding, str)

    def __call__(self, images: Tensor, relu: bool) -> Tensor:
        """The convolution of ``images``, with a ReLU behind it where ``relu``."""
        if images.shape[2:] != self.side:
            plain = F.conv2d(
                images,
                self.weight,
                self.bias,
                self.stride,
                self.padding,
                self.dilation,
                self.groups,
            )
            return plain.relu_() if relu else plain
        laid = self._laid_here()
        if laid.product is not None:
            return laid.product(images, relu)
        return OPERATORS.convolution(
            images,
            laid.ahead,
            self.bias,
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            "relu" if relu else "none",
            [],
            "",
        )

    def needs(self, images: Tensor) -> bool:
        """Whether :meth:`transposed` wants ``images`` themselves."""
        return images.shape[2:] != self.side or (not self._is_product and self._phases is None)

    def transposed(self, gradient: Tensor, images: Tensor | None, onto: Tensor | None) -> Tensor:
        """The gradient for the ``images``, added to the one ``onto`` where there is one already. None for images that it can do without."""
        if images is not None:
            found: Tensor = torch.ops.aten.convolution_backward(
                gradient,
                images,
                self.weight,
                None,
                self.stride,
                self.padding,
                self.dilation,
                False,
                [0, 0],
                self.groups,
                [True, False, False],
            )[0]
            return found if onto is None else found.add_(onto)
        laid = self._laid_here()
        if laid.product is not None:
            return laid.product.transposed(gradient, onto)
        if self.stride[0] == 1 and onto is not None:
            return OPERATORS.convolution_plus(
                gradient,
                onto.contiguous(memory_format=torch.channels_last),
                laid.back,
                None,
                self.reach,
                [1, 1],
                [1, 1],
                1,
                "add",
                None,
                None,
                [],
                None,
            )
        found = OPERATORS.convolution(
            gradient, laid.back, None, self.reach, [1, 1], [1, 1], 1, "none", [], ""
        )
        if self.stride[0] == 1:
            return found
        whole = self._unshuffled(found, self.side)
        return whole if onto is None else whole.add_(onto)

    def _unshuffled(self, phases: Tensor, size: torch.Size) -> Tensor:
        """The phases interleaved; what was padding cut off, 0 for the pixels that no window reached."""
        n, many, high, wide = phases.shape
        step = self.stride[0]
        # What F.pixel_shuffle does, but laid out plane by plane, as images are, and in two thirds of the time of one permuted copy.
        apart = torch.empty(
            (n, many // step**2, high, step, wide, step), dtype=phases.dtype, device=phases.device
        )
        for row in range(step):
            for column in range(step):
                apart[:, :, :, row, :, column].copy_(phases[:, row * step + column :: step * step])
        found = apart.view(n, -1, high * step, wide * step)
        top, left = self.padding
        lacks = (-left, size[1] + left - found.shape[3], -top, size[0] + top - found.shape[2])
        return F.pad(found, lacks) if any(lacks) else found

    def _is_a_convolution_backwards(self, weight: Tensor) -> bool:
        step = self.stride[0]
        if self.groups > 1 or self.dilation != [1, 1] or self.stride != [step, step]:
            return False
        if step == 1:
            return all(
                pad < kernel for pad, kernel in zip(self.padding, weight.shape[2:], strict=True)
            )
        return weight.shape[1] * step * step <= FEW and min(weight.shape[2:]) >= step


def _packed(
    weight: Tensor,
    padding: list[int],
    stride: list[int],
    dilation: list[int],
    groups: int,
    shape: torch.Size,
) -> Tensor:
    laid: Tensor = torch.ops.aten.mkldnn_reorder_conv2d_weight(
        weight.to_mkldnn(), padding, stride, dilation, groups, list(shape)
    )
    return laid


def _phases(weight: Tensor, step: int) -> Tensor:
    """Weights [I·s·s, O, ⌈K/s⌉, ⌈K/s⌉] of the stride-1 convolution whose output, its s·s phases interleaved, is the gradient for the
    input of a convolution with ``weight`` [O, I, K, K] and stride s: each pixel of the input meets every s-th weight only."""
    o, i, high, wide = weight.shape
    rows, columns = -(-high // step), -(-wide // step)
    whole = F.pad(weight, (0, columns * step - wide, 0, rows * step - high)).view(
        o, i, rows, step, columns, step
    )
    apart = whole.permute(1, 3, 5, 0, 2, 4).reshape(i * step * step, o, rows, columns)
    return apart.flip(2, 3).contiguous(memory_format=torch.channels_last)
