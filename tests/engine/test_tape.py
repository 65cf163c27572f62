"""A network captured as a tape has the network's output and gradient: float32, on any CPU."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import get_model

from explorer.engine.activations import Activation
from explorer.engine.attention import SelfAttention
from explorer.engine.capture import CaptureError, capture
from explorer.engine.layers import Gate, LayerNorm, PackedLinearLayer, Permute, ScaleBy
from explorer.engine.operations import (
    Concatenate,
    Convolution,
    GlobalAvgPool,
    GlobalMaxPool,
    Linear,
    MaxPool,
    ReLU,
    Scale,
)
from explorer.engine.prepacked import Prepacked
from explorer.engine.rectifier import Rectifier
from explorer.engine.segments import AutogradSegment, Item
from tests.engine.capturing import captured, noise


class Fire(nn.Module):
    """ReLUs as function and as module after convolutions; one whose input is used again; a
    convolution used twice; x + x; and an operation in place."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = (
            nn.Conv2d(3, 4, 3),
            nn.Conv2d(4, 4, 1),
            nn.Conv2d(4, 4, 3, padding=1),
        )
        self.twice, self.relu, self.head = (
            nn.Conv2d(4, 4, 1),
            nn.ReLU(inplace=True),
            nn.Linear(4, 3),
        )
        self.swish, self.bent = nn.SiLU(inplace=True), nn.Hardswish(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        seen = F.relu(self.one(images))
        seen = self.relu(self.two(seen))
        bare = self.three(seen)
        seen = self.bent(self.swish(bare + F.relu(bare)))
        seen = seen + seen
        return self.head(self.twice(self.twice(seen)).mean(dim=(2, 3)))


class Branches(nn.Module):
    """Branches that are concatenated, pooled with overlap and padding, and added to a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.Dropout(), nn.ReLU(), nn.MaxPool2d(3, 1, 1)
        )
        self.left, self.right = (
            nn.Sequential(nn.Conv2d(8, 4, 1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(8, 4, 3, padding=1), nn.ReLU()),
        )
        self.deep, self.pool = nn.Conv2d(8, 8, 3, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 5))

    def forward(self, images: Tensor) -> Tensor:
        stem = self.stem(images)
        seen = torch.cat([self.left(stem), self.right(stem)], 1)
        added = F.relu(self.deep(seen) + stem)
        return self.head(
            self.pool(torch.cat([seen, added, F.max_pool2d(seen, 3, stride=1, padding=1)], dim=1))
        )


class Ceilings(nn.Module):
    """ReLU6 as function and as module: after a convolution, before a pool, and after a sum."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.relu6, self.pool, self.head = nn.ReLU6(), nn.MaxPool2d(2), nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        seen = self.pool(self.relu6(40 * self.one(images)))
        return self.head(F.relu6(seen + self.relu6(self.two(seen))).mean(dim=(2, 3)))


class Prefixed(nn.Module):
    """Channels processed one by one before the first convolution, as GoogLeNet does."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        planes = [images[:, i : i + 1] * (i + 1) - 0.1 for i in range(3)]
        return self.head(torch.sigmoid(self.conv(torch.cat(planes, 1))).mean((2, 3)))


class Tied(nn.Module):
    """A global maximum with ties, and a scale: what our own classifiers end in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 1), nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(F.max_pool2d(self.conv(images), 3, stride=1).amax(dim=(2, 3))) * 0.25


@pytest.mark.parametrize("kind", [Fire, Branches, Ceilings, Prefixed, Tied])
def test_a_network_of_awkward_parts(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    captured(kind(), noise())


def test_a_relu_is_part_of_the_convolution_before_it_where_that_is_all_it_serves() -> None:
    torch.manual_seed(0)
    operations = [each.operation for each in captured(Fire(), noise()).instructions]
    relus = [each.relu for each in operations if isinstance(each, Convolution)]
    assert relus == [Rectifier(), Rectifier(), None, None, None]
    assert sum(isinstance(each, ReLU) for each in operations) == 1


def test_a_relus_mask_is_applied_after_the_pool_that_alone_uses_it() -> None:
    torch.manual_seed(0)
    instructions = captured(Branches(), noise()).instructions
    convolutions = [each for each in instructions if isinstance(each.operation, Convolution)]
    # The stem's ReLU ends at its pool; the last convolution's comes after a sum.
    assert [each.mask for each in convolutions] == [None, Rectifier(), Rectifier(), None]
    assert instructions[convolutions[0].output].mask == Rectifier()
    assert not any(each.mask for each in instructions if isinstance(each.operation, Concatenate))


class Siblings(nn.Module):
    """Convolutions of one input: alike, with a ReLU, of another stride, and one without effect."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.other = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 4, 1, stride=2)
        self.one, self.two, self.bent, self.lost = (nn.Conv2d(6, many, 1) for many in (2, 3, 4, 5))

    def forward(self, images: Tensor) -> Tensor:
        seen = self.stem(images)
        parts = [
            self.one(seen),
            self.two(seen),
            F.relu(self.bent(seen)),
            F.max_pool2d(self.lost(seen), 3, 2, 1) * 0,
        ]
        whole = torch.cat([part.sum((2, 3), keepdim=True) for part in parts], 1).flatten(1)
        return whole + self.other(seen).sum((2, 3)).sum(1, keepdim=True)


def test_global_maxima_and_scales_need_no_autograd() -> None:
    torch.manual_seed(0)
    operations = [type(each.operation) for each in captured(Tied(), noise()).instructions]
    assert operations == [Convolution, MaxPool, GlobalMaxPool, Linear, Scale]


def test_inputs_whose_shapes_alone_matter_are_not_kept() -> None:
    """Those of prepacked convolutions and of pools are freed in the forward pass."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Conv2d(8, 8, 1))
    _, records = captured(network, noise()).record(noise())
    values = [value for output, saved in records for value in (output, *saved)]
    assert [each.dtype for each in values if isinstance(each, Tensor)] == [torch.int64]


def test_sibling_convolutions_are_fused() -> None:
    torch.manual_seed(0)
    operations = [each.operation for each in captured(Siblings(), noise()).instructions]
    widths = sorted(len(each.conv.weight) for each in operations if isinstance(each, Convolution))
    assert widths == [4, 4, 6, 10]  # one, two and lost are one convolution of 2 + 3 + 5 channels


def test_unknown_operations_are_one_segment() -> None:
    torch.manual_seed(0)
    operations = [type(each.operation) for each in captured(Prefixed(), noise()).instructions]
    assert operations == [AutogradSegment, Convolution, Activation, GlobalAvgPool, Linear]


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("squeezenet1_1", 64),
        ("googlenet", 64),
        ("resnet18", 64),
        ("densenet121", 64),
        ("mobilenet_v3_small", 64),
        ("mobilenet_v2", 64),
        ("efficientnet_b0", 64),
        ("vgg11", 64),
        ("resnext50_32x4d", 64),
        ("convnext_tiny", 64),
        ("swin_t", 64),
    ],
)
def test_torchvisions_networks(name: str, side: int) -> None:
    torch.manual_seed(0)
    options = {"aux_logits": False, "transform_input": True, "init_weights": False}
    captured(
        get_model(name, weights=None, **(options if name == "googlenet" else {})), noise(2, side)
    )


class Attending(nn.Module):
    """Patches as rows, with a class token, attention, a gate and layer norms, as ViT has them."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 5)
        self.gate, self.squeeze = nn.Parameter(torch.randn(8, 1, 1)), nn.Conv2d(8, 8, 1)
        self.token = nn.Parameter(torch.randn(1, 1, 8))
        self.norm, self.rows = nn.LayerNorm(8), nn.Linear(8, 8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, images: Tensor) -> Tensor:
        n, _, height, width = images.shape
        torch._assert(height == width, "a square")
        patches = self.gate * self.patches(images)
        patches = torch.sigmoid(self.squeeze(F.adaptive_avg_pool2d(patches, 1))) * patches
        rows = patches.reshape(n, 8, -1).permute(0, 2, 1)
        rows = torch.cat([self.token.expand(n, -1, -1), rows], dim=1)
        normal = self.norm(rows)
        rows = rows + self.attention(normal, normal, normal, need_weights=False)[0]
        rows = rows + F.gelu(self.rows(F.layer_norm(rows, [8], self.norm.weight, self.norm.bias)))
        moved = F.linear(rows.roll(1, 1), self.rows.weight, self.rows.bias)
        return self.head((rows + moved).permute(1, 0, 2)[0])


def test_only_what_is_unknown_falls_to_autograd() -> None:
    torch.manual_seed(0)
    operations = [each.operation for each in captured(Attending(), noise()).instructions]
    segments = [each.names() for each in operations if isinstance(each, AutogradSegment)]
    assert [names[-1] for names in segments] == ["_assert", "reshape", "cat", "linear", "getitem"]
    kinds = {type(each) for each in operations}
    assert kinds > {SelfAttention, LayerNorm, PackedLinearLayer, Gate, ScaleBy, Permute}


class Parted(nn.Module):
    """Two values leave a segment of unknown operations."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3)

    def forward(self, images: Tensor) -> Tensor:
        first, second = torch.sin(images[:, :2]), torch.cos(images[:, 1:])
        return (self.conv(first) * self.conv(second)).mean((2, 3))


class Listed(nn.Module):
    def forward(self, images: Tensor) -> list[Tensor]:
        return [images.mean((2, 3))]


def test_what_can_not_be_captured_is_refused() -> None:
    with pytest.raises(CaptureError):
        capture(Listed().eval(), noise(1), Prepacked())


def test_several_values_can_leave_a_segment() -> None:
    torch.manual_seed(0)
    operations = [type(each.operation) for each in captured(Parted(), noise()).instructions]
    assert operations.count(Item) == 2


def test_a_tape_can_end_at_the_input_of_a_part() -> None:
    torch.manual_seed(0)
    module = Branches().eval().requires_grad_(False)
    prepacked = Prepacked()
    whole = capture(module, noise(1), prepacked)
    before = len(prepacked.convs)
    head = module.head[2]
    until_head = capture(module, noise(1), prepacked, until=head)
    assert len(prepacked.convs) == before == 4
    torch.testing.assert_close(head(until_head(noise())), whole(noise()))


def test_a_network_that_ignores_the_image_has_no_gradient() -> None:
    class Blind(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.zeros_like(images).mean((2, 3))

    output, vjp = capture(Blind(), noise(1), Prepacked()).vjp(noise(1))
    assert vjp(torch.ones_like(output)) is None
