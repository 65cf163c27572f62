"""Frozen convolutions for a CPU: prepacked weights, the ReLU in the same pass, and the gradient for
the input as a convolution.

An attack takes thousands of steps with the same weights, while torch prepacks them anew in every
call, forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.engine.onednn import OPERATORS
from explorer.engine.pointwise import PointwiseConv
from explorer.engine.rectifier import Rectifier, onednn_activation

# Channels of the input's gradient times its phases. With more, torch's own backward is quicker.
MOST_PHASE_CHANNELS = 16


@dataclass(frozen=True)
class _Prepacked:
    """Weights in the processor's own layout, or the matrix product that replaces both passes."""

    forward: Tensor | None = None
    backward: Tensor | None = None
    product: PointwiseConv | None = None


@dataclass(frozen=True)
class ConvSettings:
    """How a convolution moves over its input of ``shape`` [N, C, H, W], any N."""

    padding: list[int]
    stride: list[int]
    dilation: list[int]
    groups: int
    shape: torch.Size

    def output_size(self, weight: Tensor) -> list[int]:
        """Height and width of the output."""
        sides = zip(
            self.shape[2:], self.padding, self.dilation, weight.shape[2:], self.stride, strict=True
        )
        return [
            (side + 2 * pad - dilation * (kernel - 1) - 1) // stride + 1
            for side, pad, dilation, kernel, stride in sides
        ]

    def prepack(self, weight: Tensor) -> Tensor:
        """``weight`` in the layout that the processor wants for inputs of this shape."""
        packed: Tensor = torch.ops.aten.mkldnn_reorder_conv2d_weight(
            weight.to_mkldnn(),
            self.padding,
            self.stride,
            self.dilation,
            self.groups,
            list(self.shape),
        )
        return packed


class PackedConv:
    """A frozen convolution prepacked for inputs of one height and width.

    Inputs of another size use the weights as they were: a layout for other sizes would be made
    anew in every call, which took SqueezeNet nine times as long at 112 × 112.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, settings: ConvSettings) -> None:
        self.weight, self.bias, self.settings = weight, bias, settings
        self.side = settings.shape[2:]
        out_size = settings.output_size(weight)
        self._is_product = PointwiseConv.supports(
            weight, settings.padding, settings.stride, settings.groups
        )
        self._phases: Tensor | None = None
        if not self._is_product and self._has_convolution_backward():
            groups = settings.groups
            self._phases = _phases(weight, settings.stride[0]) if groups == 1 else _flipped(weight)
            out_shape = torch.Size([int(settings.shape[0]), weight.shape[0], *out_size])
            self._backward = ConvSettings(
                self._backward_padding(), [1, 1], [1, 1], groups, out_shape
            )
        self._by_threads: dict[int, _Prepacked] = {}
        self._prepacked()

    @classmethod
    def of(cls, conv: nn.Conv2d, shape: torch.Size) -> PackedConv:
        """``conv`` prepacked for inputs of ``shape`` [N, C, H, W], any N."""
        bias = None if conv.bias is None else conv.bias.detach()
        padding = [int(side) for side in conv.padding]
        settings = ConvSettings(padding, list(conv.stride), list(conv.dilation), conv.groups, shape)
        return cls(conv.weight.detach(), bias, settings)

    @classmethod
    def joined(cls, convs: Sequence[PackedConv]) -> PackedConv:
        """One convolution with the outputs of ``convs`` in order; all have the same ``kind``."""
        biases = [conv.bias for conv in convs if conv.bias is not None]
        weight = torch.cat([conv.weight for conv in convs])
        weight = weight.contiguous(memory_format=torch.channels_last)
        return cls(weight, torch.cat(biases) if biases else None, convs[0].settings)

    @property
    def kind(self) -> Hashable:
        """Equal for convolutions that differ in their weights alone."""
        s = self.settings
        moves = (tuple(s.padding), tuple(s.stride), tuple(s.dilation), s.groups)
        return (s.shape, self.weight.shape[1:], self.bias is None, *moves)

    @staticmethod
    def supports(conv: nn.Conv2d) -> bool:
        """Whether ``conv`` can be prepacked."""
        return conv.padding_mode == "zeros" and not isinstance(conv.padding, str)

    def forward(self, images: Tensor, relu: Rectifier | None) -> Tensor:
        """The convolution of ``images``, followed by ``relu``."""
        s = self.settings
        if images.shape[2:] != self.side:
            output = F.conv2d(
                images, self.weight, self.bias, s.stride, s.padding, s.dilation, s.groups
            )
            return output if relu is None else relu(output)
        prepacked = self._prepacked()
        if prepacked.product is not None:
            return prepacked.product.forward(images, relu)
        moves = (s.padding, s.stride, s.dilation, s.groups)
        activation = onednn_activation(relu)
        return OPERATORS.convolution(images, prepacked.forward, self.bias, *moves, *activation, "")

    def backward_needs(self, images: Tensor) -> bool:
        """Whether :meth:`input_gradient` needs ``images`` themselves."""
        return images.shape[2:] != self.side or (not self._is_product and self._phases is None)

    def input_gradient(
        self, gradient: Tensor, images: Tensor | None, accumulate_into: Tensor | None
    ) -> Tensor:
        """The gradient for the images, added to ``accumulate_into`` if that is given.

        ``images`` is None where :meth:`backward_needs` said that they are not needed.
        """
        if images is not None:
            return _accumulated(self._torch_backward(gradient, images), accumulate_into)
        prepacked = self._prepacked()
        if prepacked.product is not None:
            return prepacked.product.input_gradient(gradient, accumulate_into)
        moves = (self._backward.padding, [1, 1], [1, 1], self._backward.groups)
        if self.settings.stride[0] == 1 and accumulate_into is not None:
            other = accumulate_into.contiguous(memory_format=torch.channels_last)
            return OPERATORS.convolution_plus(
                gradient, other, prepacked.backward, None, *moves, "add", None, None, [], None
            )
        output = OPERATORS.convolution(gradient, prepacked.backward, None, *moves, "none", [], "")
        if self.settings.stride[0] == 1:
            return output
        return _accumulated(self._interleaved(output), accumulate_into)

    def _prepacked(self) -> _Prepacked:
        """The weights for torch's present number of threads.

        A layout for two threads took GoogLeNet on one thread 1.25 times as long.
        """
        threads = torch.get_num_threads()
        prepacked = self._by_threads.get(threads)
        if prepacked is None:
            prepacked = self._by_threads[threads] = self._prepack()
        return prepacked

    def _prepack(self) -> _Prepacked:
        if self._is_product:
            positions = self.side[0] * self.side[1]
            return _Prepacked(product=PointwiseConv(self.weight, self.bias, positions))
        forward = self.settings.prepack(self.weight)
        if self._phases is None:
            return _Prepacked(forward)
        return _Prepacked(forward, self._backward.prepack(self._phases))

    def _torch_backward(self, gradient: Tensor, images: Tensor) -> Tensor:
        s = self.settings
        moves = (s.stride, s.padding, s.dilation, False, [0, 0], s.groups)
        outputs = torch.ops.aten.convolution_backward(
            gradient, images, self.weight, None, *moves, [True, False, False]
        )
        input_gradient: Tensor = outputs[0]
        return input_gradient

    def _has_convolution_backward(self) -> bool:
        """Whether a convolution of stride 1 computes the input's gradient quickly."""
        s, step = self.settings, self.settings.stride[0]
        if s.dilation != [1, 1] or s.stride != [step, step]:
            return False
        # A depthwise convolution's is another depthwise convolution.
        depthwise = s.groups == len(self.weight) == s.shape[1]
        if s.groups > 1 and not (depthwise and step == 1):
            return False
        kernel = self.weight.shape[2:]
        if step == 1:
            return all(pad < side for pad, side in zip(s.padding, kernel, strict=True))
        phase_channels = self.weight.shape[1] * step * step
        return phase_channels <= MOST_PHASE_CHANNELS and min(kernel) >= step

    def _backward_padding(self) -> list[int]:
        assert self._phases is not None
        s = self.settings
        sides = zip(self._phases.shape[2:], s.padding, strict=True)
        return [side - 1 - (pad if s.stride[0] == 1 else 0) for side, pad in sides]

    def _interleaved(self, phases: Tensor) -> Tensor:
        """The phases [N, C·s·s, h, w] as one gradient of the input's size [N, C, H, W].

        What belongs to the padding is cut off; pixels that no window reached are 0.
        """
        n, channels, height, width = phases.shape
        step = self.settings.stride[0]
        # It does what F.pixel_shuffle does, but plane by plane, as images are laid out, and in two
        # thirds of the time of one permuted copy.
        planes = torch.empty(
            (n, channels // step**2, height, step, width, step),
            dtype=phases.dtype,
            device=phases.device,
        )
        for row in range(step):
            for column in range(step):
                phase = phases[:, row * step + column :: step * step]
                planes[:, :, :, row, :, column].copy_(phase)
        whole = planes.view(n, -1, height * step, width * step)
        top, left = self.settings.padding
        bottom = self.side[0] + top - whole.shape[2]
        right = self.side[1] + left - whole.shape[3]
        margins = (-left, right, -top, bottom)
        return F.pad(whole, margins) if any(margins) else whole


def packed_product(left: Tensor, right: Tensor) -> Callable[[], Tensor] | None:
    """A function that multiplies two square matrices as the engine's 1 × 1 convolutions do.

    Its speed is what the engine can reach at best: prepacked weights can make a product twice as
    quick. None on a device other than a CPU with oneDNN.
    """
    if left.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return None
    side = len(left)
    image = left.view(1, side, side, 1).contiguous(memory_format=torch.channels_last)
    conv = nn.Conv2d(side, side, 1).to(image.dtype).to(memory_format=torch.channels_last)
    conv.weight.data.copy_(right.view(side, side, 1, 1))
    return partial(PackedConv.of(conv, image.shape).forward, image, relu=None)


def _accumulated(gradient: Tensor, accumulate_into: Tensor | None) -> Tensor:
    return gradient if accumulate_into is None else gradient.add_(accumulate_into)


def _flipped(weight: Tensor) -> Tensor:
    """Depthwise weights [C, 1, K, K] for the input's gradient at stride 1."""
    return weight.flip(2, 3).contiguous(memory_format=torch.channels_last)


def _phases(weight: Tensor, step: int) -> Tensor:
    """Weights of the stride-1 convolution that gives the input's gradient of a strided one.

    ``weight`` [O, I, K, K] becomes [I·s·s, O, ⌈K/s⌉, ⌈K/s⌉], s being the ``step``: each pixel of
    the input meets every s-th weight only, and the s·s phases of the output are interleaved.
    """
    o, i, height, width = weight.shape
    rows, columns = -(-height // step), -(-width // step)
    padded = F.pad(weight, (0, columns * step - width, 0, rows * step - height))
    blocks = padded.view(o, i, rows, step, columns, step).permute(1, 3, 5, 0, 2, 4)
    phases = blocks.reshape(i * step * step, o, rows, columns).flip(2, 3)
    return phases.contiguous(memory_format=torch.channels_last)
