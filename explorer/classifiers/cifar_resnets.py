"""ResNets for images of 32×32 pixels (He et al. 2015 and 2016), in the layout of their files."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, relu

_WIDTHS = (64, 128, 256, 512)


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias whose output has the size of its input, divided by ``stride``."""
    return nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)


def pooled(images: Tensor) -> Tensor:
    """The mean over positions: [N, C] for [N, C, H, W]."""
    return adaptive_avg_pool2d(images, 1).flatten(1)


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut, with the activation after their sum."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, width, stride=stride), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width), nn.BatchNorm2d(width)
        self.shortcut = _shortcut(inputs, width, stride)

    def forward(self, images: Tensor) -> Tensor:
        hidden = relu(self.bn1(self.conv1(images)))
        return relu(self.bn2(self.conv2(hidden)) + self.shortcut(images))


class Bottleneck(nn.Module):
    """A convolution between two of size 1, and a shortcut."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = self.expansion * width
        self.conv1, self.bn1 = conv(inputs, width, 1), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = conv(width, width, stride=stride), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = conv(width, outputs, 1), nn.BatchNorm2d(outputs)
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, images: Tensor) -> Tensor:
        hidden = relu(self.bn1(self.conv1(images)))
        hidden = relu(self.bn2(self.conv2(hidden)))
        return relu(self.bn3(self.conv3(hidden)) + self.shortcut(images))


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    if stride == 1 and inputs == outputs:
        return nn.Sequential()
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class ResNet(nn.Module):
    """Four stages of blocks; each but the first halves the image."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(
        self, block: type[BasicBlock | Bottleneck], counts: Sequence[int], classes: int
    ) -> None:
        super().__init__()
        inputs = _WIDTHS[0]
        self.conv1, self.bn1 = conv(3, inputs), nn.BatchNorm2d(inputs)
        for stage, (width, count) in enumerate(zip(_WIDTHS, counts, strict=True), start=1):
            blocks = nn.Sequential()
            for index in range(count):
                blocks.append(block(inputs, width, 2 if stage > 1 and index == 0 else 1))
                inputs = width * block.expansion
            self.add_module(f"layer{stage}", blocks)
        self.linear = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        hidden = relu(self.bn1(self.conv1(images)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        logits: Tensor = self.linear(pooled(hidden))
        return logits


class PreActBlock(nn.Module):
    """Two convolutions, each after its normalisation and activation, and a shortcut.

    The shortcut begins before the first activation, or with ``shortcut_first=False`` after it.
    """

    def __init__(self, inputs: int, width: int, stride: int, shortcut_first: bool) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, width, stride=stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(width), conv(width, width)
        self.shortcut_first = shortcut_first
        changes = stride != 1 or inputs != width
        self.shortcut = nn.Sequential(conv(inputs, width, 1, stride)) if changes else None

    def forward(self, images: Tensor) -> Tensor:
        active = relu(self.bn1(images))
        shortcut = images
        if self.shortcut is not None:
            shortcut = self.shortcut(images if self.shortcut_first else active)
        hidden: Tensor = self.conv2(relu(self.bn2(self.conv1(active))))
        return hidden + shortcut


class PreActResNet(nn.Module):
    """PreActResNet-18. ``last_norm``: with a normalisation and an activation before the head."""

    layer1: nn.Module
    layer2: nn.Module
    layer3: nn.Module
    layer4: nn.Module

    def __init__(self, classes: int, shortcut_first: bool, last_norm: bool) -> None:
        super().__init__()
        inputs = _WIDTHS[0]
        self.conv1 = conv(3, inputs)
        for stage, width in enumerate(_WIDTHS, start=1):
            first = PreActBlock(inputs, width, 1 if stage == 1 else 2, shortcut_first)
            blocks = nn.Sequential(first, PreActBlock(width, width, 1, shortcut_first))
            self.add_module(f"layer{stage}", blocks)
            inputs = width
        self.bn = nn.BatchNorm2d(inputs) if last_norm else None
        self.linear = nn.Linear(inputs, classes)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.conv1(images)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        if self.bn is not None:
            hidden = relu(self.bn(hidden))
        logits: Tensor = self.linear(pooled(hidden))
        return logits
