"""EfficientNet-Lite0 (Tan & Le 2019, arXiv 1905.11946; Google's "Lite" variant of 2020).

ReLU6 in place of swish and no squeeze-and-excitation: 4.7 M parameters, and 390 M multiplications
for an image of 224 × 224. timm has the same network as ``tf_efficientnet_lite0``, but importing
timm takes longer than an attack with this network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

STEM, HEAD, CLASSES = 32, 1280, 1000
NORM_EPSILON = 1e-3  # TensorFlow's


@dataclass(frozen=True)
class Stage:
    """Blocks with the same output; the first of them has the ``stride``."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    outputs: int


STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


def _convolution(inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> nn.Conv2d:
    """A convolution with TensorFlow's "SAME" padding, for even sides where the stride is 2.

    There TensorFlow pads one pixel less on the left and on top than on the right and below. torch
    can't; with a row and a column of zeros before the kernel's own (see :func:`published_state`)
    the symmetric padding gives the same to the bit, in less time than a padded copy of the image.
    """
    size = kernel if stride == 1 else kernel + 1
    return nn.Conv2d(
        inputs, outputs, size, stride=stride, padding=kernel // 2, groups=groups, bias=False
    )


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=NORM_EPSILON)


class Block(nn.Module):
    """An inverted residual block: expand, filter each channel, project (Sandler et al. 2018)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        width = inputs * expansion
        self._expands = expansion > 1
        if self._expands:
            self._expand_conv = nn.Conv2d(inputs, width, 1, bias=False)
            self._bn0 = _norm(width)
        self._depthwise_conv = _convolution(width, width, kernel, stride, groups=width)
        self._bn1 = _norm(width)
        self._project_conv = nn.Conv2d(width, outputs, 1, bias=False)
        self._bn2 = _norm(outputs)
        self._relu6 = nn.ReLU6()
        self._has_shortcut = stride == 1 and inputs == outputs

    def forward(self, images: Tensor) -> Tensor:
        values = images
        if self._expands:
            values = self._relu6(self._bn0(self._expand_conv(values)))
        values = self._relu6(self._bn1(self._depthwise_conv(values)))
        projected: Tensor = self._bn2(self._project_conv(values))
        return projected + images if self._has_shortcut else projected


def _blocks() -> nn.Sequential:
    blocks, inputs = [], STEM
    for stage in STAGES:
        for index in range(stage.blocks):
            stride = stage.stride if index == 0 else 1
            blocks.append(Block(inputs, stage.outputs, stage.kernel, stride, stage.expansion))
            inputs = stage.outputs
    return nn.Sequential(*blocks)


class EfficientNetLite0(nn.Module):
    """Logits [N, 1000] for normalised images [N, 3, H, W]; H and W are multiples of 32.

    Its parts have the names that they have in the published weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _convolution(3, STEM, 3, 2, groups=1)
        self._bn0 = _norm(STEM)
        self._blocks = _blocks()
        self._conv_head = nn.Conv2d(STAGES[-1].outputs, HEAD, 1, bias=False)
        self._bn1 = _norm(HEAD)
        self._relu6 = nn.ReLU6()
        self._pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self._fc = nn.Linear(HEAD, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        values = self._relu6(self._bn0(self._conv_stem(images)))
        values = self._relu6(self._bn1(self._conv_head(self._blocks(values))))
        logits: Tensor = self._fc(self._pool(values))
        return logits


def published_state(module: EfficientNetLite0, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Published weights as ``module`` takes them: zeros before the strided convolutions' kernels.

    What does not have the published shape stays as it is.
    """
    padded = dict(state)
    for name, part in module.named_modules():
        weight = padded.get(f"{name}.weight")
        if not isinstance(part, nn.Conv2d) or part.stride == (1, 1) or weight is None:
            continue
        published = tuple(side - 1 for side in part.kernel_size)
        if tuple(weight.shape[2:]) == published:
            padded[f"{name}.weight"] = F.pad(weight, (1, 0, 1, 0))
    return padded
