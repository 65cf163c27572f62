"""Wide ResNets for images of 32×32 pixels (Zagoruyko and Komodakis 2016), in two layouts.

That of TRADES (Zhang et al. 2019), which most of RobustBench's files have, and that of DeepMind
(Gowal et al. 2020), which has SiLU activations and pads as TensorFlow does.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad, relu, silu

from explorer.classifiers.cifar_resnets import conv, pooled


def _stages(depth: int, width: int) -> tuple[int, tuple[tuple[int, int, int], ...]]:
    """The blocks per stage, and inputs, outputs and stride of each stage."""
    widths = (16, 16 * width, 32 * width, 64 * width)
    return (depth - 4) // 6, tuple(zip(widths, widths[1:], (1, 2, 2), strict=False))


class WideBlock(nn.Module):
    """Two convolutions, each after its normalisation and activation, and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, stride=stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        self.convShortcut = conv(inputs, outputs, 1, stride) if inputs != outputs else None

    def forward(self, images: Tensor) -> Tensor:
        active = relu(self.bn1(images))
        shortcut = images if self.convShortcut is None else self.convShortcut(active)
        hidden: Tensor = self.conv2(relu(self.bn2(self.conv1(active))))
        return shortcut + hidden


class WideStage(nn.Module):
    """``count`` blocks, the first of which changes width and size."""

    def __init__(self, count: int, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first = WideBlock(inputs, outputs, stride)
        others = (WideBlock(outputs, outputs, 1) for _ in range(count - 1))
        self.layer = nn.Sequential(first, *others)

    def forward(self, images: Tensor) -> Tensor:
        hidden: Tensor = self.layer(images)
        return hidden


class WideResNet(nn.Module):
    """WideResNet-``depth``-``width`` in the layout of TRADES."""

    block1: nn.Module
    block2: nn.Module
    block3: nn.Module

    def __init__(self, depth: int, width: int, classes: int, bias: bool = True) -> None:
        super().__init__()
        count, stages = _stages(depth, width)
        self.conv1 = conv(3, stages[0][0])
        for number, stage in enumerate(stages, start=1):
            self.add_module(f"block{number}", WideStage(count, *stage))
        self.bn1 = nn.BatchNorm2d(stages[-1][1])
        self.fc = nn.Linear(stages[-1][1], classes, bias)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.conv1(images)
        for stage in (self.block1, self.block2, self.block3):
            hidden = stage(hidden)
        logits: Tensor = self.fc(pooled(relu(self.bn1(hidden))))
        return logits


class DeepMindBlock(nn.Module):
    """As :class:`WideBlock`, with the padding of TensorFlow's "SAME" where it halves the image."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.batchnorm_0 = nn.BatchNorm2d(inputs)
        self.conv_0 = nn.Conv2d(inputs, outputs, 3, stride, bias=False)
        self.batchnorm_1, self.conv_1 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        self.shortcut = conv(inputs, outputs, 1, stride) if inputs != outputs else None
        self.padding = (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1)

    def forward(self, images: Tensor) -> Tensor:
        active = silu(self.batchnorm_0(images))
        shortcut = images if self.shortcut is None else self.shortcut(active)
        padded = pad(active, self.padding)
        hidden: Tensor = self.conv_1(silu(self.batchnorm_1(self.conv_0(padded))))
        return shortcut + hidden


class DeepMindStage(nn.Module):
    """``count`` blocks, the first of which changes width and size."""

    def __init__(self, count: int, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first = DeepMindBlock(inputs, outputs, stride)
        others = (DeepMindBlock(outputs, outputs, 1) for _ in range(count - 1))
        self.block = nn.Sequential(first, *others)

    def forward(self, images: Tensor) -> Tensor:
        hidden: Tensor = self.block(images)
        return hidden


class DeepMindWideResNet(nn.Module):
    """WideResNet-``depth``-``width`` in the layout of DeepMind."""

    def __init__(self, depth: int, width: int, classes: int) -> None:
        super().__init__()
        count, stages = _stages(depth, width)
        self.init_conv = conv(3, stages[0][0])
        self.layer = nn.Sequential(*(DeepMindStage(count, *stage) for stage in stages))
        self.batchnorm = nn.BatchNorm2d(stages[-1][1])
        self.logits = nn.Linear(stages[-1][1], classes)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.layer(self.init_conv(images))
        logits: Tensor = self.logits(pooled(silu(self.batchnorm(hidden))))
        return logits
