"""A network run as a tape is the network: its output and its gradient, in float32 beside autograd's, on any CPU."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import get_model

from explorer.engine.capture import NotTaped, tape_of
from explorer.engine.convolution import PackedConv
from explorer.engine.operations import (
    Concatenate,
    Convolution,
    Greatest,
    Linear,
    MaxPool,
    Rectify,
    Scale,
    Segment,
)
from explorer.engine.tape import Kept, Tape


def channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


def gradient_of(function: Callable[[Tensor], Tensor], images: Tensor) -> tuple[Tensor, Tensor]:
    """The output, and the gradient of its product with something that is always the same."""
    point = images.clone().requires_grad_(True)
    out = function(point)
    towards = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)).to(out)
    (gradient,) = torch.autograd.grad(out, point, towards)
    return out.detach(), gradient


def taped(module: nn.Module, images: Tensor) -> Tape:
    """The tape, which must be the module; on other inputs, too."""
    module = module.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    tape = tape_of(copy.deepcopy(module), images[:1], {})
    for given in (images, images[:1]):
        (out, gradient), (tape_out, tape_gradient) = (
            gradient_of(module, given),
            gradient_of(tape, given),
        )
        torch.testing.assert_close(tape_out, out, atol=2e-4 * float(out.abs().max()), rtol=1e-3)
        torch.testing.assert_close(
            tape_gradient, gradient, atol=2e-4 * float(gradient.abs().max()), rtol=1e-3
        )
        with torch.no_grad():
            assert torch.equal(tape(given), tape_out)
    return tape


def noise(n: int = 3, side: int = 12) -> Tensor:
    return channels_last(
        torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(2)) - 0.5
    )


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
        ({"kernel_size": 3, "groups": 3, "padding": 1}, (9, 9)),
        ({"kernel_size": 3, "dilation": 2}, (9, 9)),
        ({"kernel_size": 3, "stride": (2, 1), "bias": False}, (9, 9)),
    ],
)
@pytest.mark.parametrize("relu", [False, True])
def test_a_packed_convolution_is_the_convolution(
    relu: bool, options: dict[str, object], side: tuple[int, int]
) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 6, **options).requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[arg-type]
    whole = nn.Sequential(conv, nn.ReLU()) if relu else conv
    packed = PackedConv.of(conv, torch.Size((1, 3, *side)))
    images = channels_last(torch.randn(2, 3, *side))
    out, gradient = gradient_of(whole, images)
    torch.testing.assert_close(packed(images, relu), out)
    towards = torch.randn(out.shape, generator=torch.Generator().manual_seed(1)) * (
        (out > 0) if relu else 1
    )
    towards, before = channels_last(towards), channels_last(torch.randn(images.shape))
    kept = images if packed.needs(images) else None
    torch.testing.assert_close(
        packed.transposed(towards, kept, None), gradient, atol=1e-5, rtol=1e-4
    )
    torch.testing.assert_close(
        packed.transposed(towards, kept, before.clone()), before + gradient, atol=1e-5, rtol=1e-4
    )
    other = channels_last(torch.randn(1, 3, side[0] + 2, side[1]))  # a size it was not packed for
    torch.testing.assert_close(packed(other, relu), whole(other))
    assert packed.needs(other)
    assert packed.work == conv.weight.numel() * out.shape[2] * out.shape[3]


class Fire(nn.Module):
    """A ReLU of each kind behind a convolution; one convolution whose output is also used without it; one used twice; a sum of one value
    with itself, and an operation that works in place."""

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
    """Branches that meet: concatenated, pooled with overlap and padding, concatenated twice over, added to a shortcut."""

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


class Prefixed(nn.Module):
    """Channels treated apart before the first convolution, as GoogLeNet's are."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, images: Tensor) -> Tensor:
        planes = [images[:, i : i + 1] * (i + 1) - 0.1 for i in range(3)]
        return self.head(torch.sigmoid(self.conv(torch.cat(planes, 1))).mean((2, 3)))


class Tied(nn.Module):
    """The largest of all positions, of which several are, and a scale: what our own classifiers end in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 6, 1), nn.Linear(6, 4)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(F.max_pool2d(self.conv(images), 3, stride=1).amax(dim=(2, 3))) * 0.25


@pytest.mark.parametrize("kind", [Fire, Branches, Prefixed, Tied])
def test_a_network_of_awkward_parts(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    taped(kind(), noise())


def test_a_relu_is_part_of_the_convolution_before_it_where_that_is_all_it_serves() -> None:
    torch.manual_seed(0)
    lines = taped(Fire(), noise()).lines
    assert [line.operation.relu for line in lines if isinstance(line.operation, Convolution)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert sum(isinstance(line.operation, Rectify) for line in lines) == 1


def test_a_relus_mask_waits_until_the_pool_that_alone_takes_it() -> None:
    torch.manual_seed(0)
    lines = taped(Branches(), noise()).lines
    convolutions = [line for line in lines if isinstance(line.operation, Convolution)]
    assert [line.masked for line in convolutions] == [
        False,
        True,
        True,
        False,
    ]  # the stem's ReLU ends at its pool
    assert lines[convolutions[0].output].masked
    assert not any(line.masked for line in lines if isinstance(line.operation, Concatenate))


class Siblings(nn.Module):
    """Convolutions that look at one value: two alike, one with a ReLU; one of another stride, and one that leads nowhere."""

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


def test_largest_positions_and_scales_need_no_autograd() -> None:
    torch.manual_seed(0)
    assert [type(line.operation) for line in taped(Tied(), noise()).lines] == [
        Convolution,
        MaxPool,
        Greatest,
        Linear,
        Scale,
    ]


@pytest.mark.parametrize("kind", [Fire, Branches, Prefixed, Tied])
def test_a_look_without_autograd_is_the_one_with_it(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    tape, images = taped(kind(), noise()), noise()
    out, gradient = gradient_of(tape, images)
    seen, back = tape.look(images)
    assert torch.equal(seen, out)
    assert torch.equal(
        back(torch.randn(out.shape, generator=torch.Generator().manual_seed(1))), gradient
    )  # type: ignore[arg-type]


def test_what_only_shapes_are_asked_of_is_not_kept() -> None:
    """The inputs of packed convolutions and of pools are let go on the way forward."""
    torch.manual_seed(0)
    kept: list[Kept] = []
    tape = taped(nn.Sequential(nn.Conv2d(3, 8, 3), nn.MaxPool2d(2), nn.Conv2d(8, 8, 1)), noise())
    tape.forwards(noise(), kept)
    indices = [
        value for masked, needed in kept for value in (masked, *needed) if isinstance(value, Tensor)
    ]
    assert [value.dtype for value in indices] == [torch.int64]


def test_siblings_are_done_as_one() -> None:
    torch.manual_seed(0)
    lines = taped(Siblings(), noise()).lines
    widths = sorted(
        len(line.operation.part.weight) for line in lines if isinstance(line.operation, Convolution)
    )
    assert widths == [4, 4, 6, 10]  # one, two and lost are one convolution of 2 + 3 + 5 channels


def test_what_nothing_is_known_of_is_one_segment() -> None:
    torch.manual_seed(0)
    lines = taped(Prefixed(), noise()).lines
    assert [isinstance(line.operation, Segment) for line in lines] == [True, False, True, False]


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("squeezenet1_1", 64),
        ("googlenet", 64),
        ("resnet18", 64),
        ("densenet121", 64),
        ("mobilenet_v3_small", 64),
        ("efficientnet_b0", 64),
        ("vgg11", 64),
        ("resnext50_32x4d", 64),
    ],
)
def test_torchvisions_networks(name: str, side: int) -> None:
    torch.manual_seed(0)
    extra = (
        {"aux_logits": False, "transform_input": True, "init_weights": False}
        if name == "googlenet"
        else {}
    )
    taped(get_model(name, weights=None, **extra), noise(2, side))


class Parted(nn.Module):
    """Two values leave a part of unknown operations."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 2, 3)

    def forward(self, images: Tensor) -> Tensor:
        first, second = torch.tanh(images[:, :2]), torch.tanh(images[:, 1:])
        return (self.conv(first) * self.conv(second)).mean((2, 3))


class Listed(nn.Module):
    def forward(self, images: Tensor) -> list[Tensor]:
        return [images.mean((2, 3))]


@pytest.mark.parametrize("kind", [Parted, Listed])
def test_what_can_not_be_taped_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(NotTaped):
        tape_of(kind().eval(), noise(1), {})


def test_the_tape_ends_where_a_part_begins() -> None:
    torch.manual_seed(0)
    module = Branches().eval().requires_grad_(False)
    shared: dict[object, PackedConv] = {}
    whole = tape_of(module, noise(1), shared)  # type: ignore[arg-type]
    before = len(shared)
    ended = tape_of(module, noise(1), shared, until=module.head[2])  # type: ignore[arg-type]
    assert len(shared) == before == 4
    torch.testing.assert_close(module.head[2](ended(noise())), whole(noise()))


def test_a_network_that_ignores_the_image_has_no_gradient() -> None:
    class Blind(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.zeros_like(images).mean((2, 3))

    point = noise(1).requires_grad_(True)
    out = tape_of(Blind(), noise(1), {})(point)
    assert torch.autograd.grad(out.sum(), point, allow_unused=True)[0] is None
