"""Networks for CIFAR compute what their published layouts mean, and take files as they are."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, linear, pad, relu, silu

from explorer.classifiers import ClassifierError, load
from explorer.classifiers.cifar_networks import CIFAR10_MEAN, CIFAR10_STD, CIFAR_NETWORKS
from explorer.classifiers.cifar_resnets import BasicBlock, Bottleneck, PreActResNet, ResNet
from explorer.classifiers.cifar_wide_resnets import DeepMindWideResNet, WideResNet

CLOSE = {"rtol": 1e-4, "atol": 1e-4}


def randomised(module):
    """In evaluation mode, with batch norms that are not trivial."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for part in module.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.running_mean.normal_(std=0.1)
                part.running_var.uniform_(0.5, 1.5)
                part.weight.data.uniform_(0.5, 1.5)
                part.bias.data.normal_(std=0.1)
    return module.eval().requires_grad_(False)


def norm(state, name, x):
    values = (state[f"{name}.{each}"] for each in ("running_mean", "running_var", "weight", "bias"))
    return batch_norm(x, *values)


def wide_reference(state, x, names, activation, strided_padding):
    """A wide ResNet's logits from its file, by the names of one of the two layouts."""
    first, block, norms, convolutions, shortcut, last, head = names
    x = conv2d(x, state[first], padding=1)
    for stage in range(3):
        index = 0
        while (place := block.format(stage=stage, index=index)) + f".{convolutions[0]}" in state:
            stride = 2 if stage > 0 and index == 0 else 1
            active = activation(norm(state, f"{place}.{norms[0]}", x))
            padded = pad(active, strided_padding if stride == 2 else (1, 1, 1, 1))
            hidden = conv2d(padded, state[f"{place}.{convolutions[0]}"], stride=stride)
            hidden = activation(norm(state, f"{place}.{norms[1]}", hidden))
            hidden = conv2d(hidden, state[f"{place}.{convolutions[1]}"], padding=1)
            if f"{place}.{shortcut}" in state:
                x = conv2d(active, state[f"{place}.{shortcut}"], stride=stride)
            x = x + hidden
            index += 1
    x = avg_pool2d(activation(norm(state, last, x)), 8).flatten(1)
    return linear(x, state[f"{head}.weight"], state[f"{head}.bias"])


TRADES = (
    "conv1.weight",
    "block{stage}.layer.{index}",
    ("bn1", "bn2"),
    ("conv1.weight", "conv2.weight"),
    "convShortcut.weight",
    "bn1",
    "fc",
)
DEEPMIND = (
    "init_conv.weight",
    "layer.{stage}.block.{index}",
    ("batchnorm_0", "batchnorm_1"),
    ("conv_0.weight", "conv_1.weight"),
    "shortcut.weight",
    "batchnorm",
    "logits",
)


def test_wide_resnets_in_both_layouts():
    x = torch.rand(2, 3, 32, 32)
    trades, deepmind = randomised(WideResNet(16, 2, 10)), randomised(DeepMindWideResNet(16, 2, 10))
    state = {
        name.replace("block1", "block0").replace("block2", "block1").replace("block3", "block2"): v
        for name, v in trades.state_dict().items()
    }
    expected = wide_reference(state, x, TRADES, relu, (1, 1, 1, 1))
    torch.testing.assert_close(trades(x), expected, **CLOSE)
    expected = wide_reference(deepmind.state_dict(), x, DEEPMIND, silu, (0, 1, 0, 1))
    torch.testing.assert_close(deepmind(x), expected, **CLOSE)


def resnet_reference(state, x, convolutions):
    """A ResNet's logits from its file; ``convolutions`` are the paddings within a block."""
    strided = 1 if len(convolutions) == 3 else 0  # which of them halves the image
    x = relu(norm(state, "bn1", conv2d(x, state["conv1.weight"], padding=1)))
    for stage in range(1, 5):
        index = 0
        while (place := f"layer{stage}.{index}") + ".conv1.weight" in state:
            stride, hidden = 2 if stage > 1 and index == 0 else 1, x
            for number, padding in enumerate(convolutions):
                weight, step = state[f"{place}.conv{number + 1}.weight"], stride
                step = stride if number == strided else 1
                hidden = conv2d(hidden, weight, stride=step, padding=padding)
                hidden = norm(state, f"{place}.bn{number + 1}", hidden)
                hidden = relu(hidden) if number + 1 < len(convolutions) else hidden
            if f"{place}.shortcut.0.weight" in state:
                x = conv2d(x, state[f"{place}.shortcut.0.weight"], stride=stride)
                x = norm(state, f"{place}.shortcut.1", x)
            x = relu(hidden + x)
            index += 1
    return linear(avg_pool2d(x, 4).flatten(1), state["linear.weight"], state["linear.bias"])


@pytest.mark.parametrize(
    ("block", "counts", "convolutions"),
    [(BasicBlock, (2, 1, 1, 2), (1, 1)), (Bottleneck, (1, 2, 1, 1), (0, 1, 0))],
)
def test_resnets(block, counts, convolutions):
    network, x = randomised(ResNet(block, counts, 10)), torch.rand(2, 3, 32, 32)
    expected = resnet_reference(network.state_dict(), x, convolutions)
    torch.testing.assert_close(network(x), expected, **CLOSE)


def preact_reference(state, x, shortcut_first):
    x = conv2d(x, state["conv1.weight"], padding=1)
    for stage in range(1, 5):
        for index in range(2):
            place, stride = f"layer{stage}.{index}", 2 if stage > 1 and index == 0 else 1
            active = relu(norm(state, f"{place}.bn1", x))
            hidden = conv2d(active, state[f"{place}.conv1.weight"], stride=stride, padding=1)
            hidden = relu(norm(state, f"{place}.bn2", hidden))
            hidden = conv2d(hidden, state[f"{place}.conv2.weight"], padding=1)
            if f"{place}.shortcut.0.weight" in state:
                x = x if shortcut_first else active
                x = conv2d(x, state[f"{place}.shortcut.0.weight"], stride=stride)
            x = x + hidden
    x = relu(norm(state, "bn", x)) if "bn.weight" in state else x
    return linear(avg_pool2d(x, 4).flatten(1), state["linear.weight"], state["linear.bias"])


@pytest.mark.parametrize("shortcut_first", [True, False])
@pytest.mark.parametrize("last_norm", [True, False])
def test_preact_resnets(shortcut_first, last_norm):
    network, x = randomised(PreActResNet(10, shortcut_first, last_norm)), torch.rand(2, 3, 32, 32)
    expected = preact_reference(network.state_dict(), x, shortcut_first)
    torch.testing.assert_close(network(x), expected, **CLOSE)


PARAMETERS = {  # in millions, as the papers and RobustBench's cards say
    "resnet18": 11.2,
    "resnet50": 23.5,
    "preact_resnet18": 11.2,
    "preact_resnet18_v2": 11.2,
    "wide_resnet_28_10": 36.5,
    "wide_resnet_34_10": 46.2,
    "wide_resnet_34_20": 184.5,
    "wide_resnet_70_16": 266.8,
    "dm_wide_resnet_28_10": 36.5,
    "dm_wide_resnet_34_20": 184.5,
    "dm_wide_resnet_70_16": 266.8,
}


@pytest.mark.parametrize("architecture", CIFAR_NETWORKS)
def test_their_sizes(architecture):
    from explorer.classifiers.checkpoint import Checkpoint

    with torch.device("meta"):
        module = CIFAR_NETWORKS[architecture].build(10, Checkpoint({"fc.bias": torch.empty(0)}))
    count = sum(each.numel() for each in module.parameters()) / 1e6
    assert count == pytest.approx(PARAMETERS[architecture.removeprefix("cifar:")], rel=5e-3)


@pytest.fixture(scope="module")
def resnet50():
    return randomised(ResNet(Bottleneck, (3, 4, 6, 3), 10))


@pytest.mark.parametrize("key", ["model", "state_dict"])
@pytest.mark.parametrize("normaliser", ["normalizer.new_{}", "normalizer.{}"])
def test_madrylabs_file_has_its_normalisation(resnet50, tmp_path, key, normaliser):
    state = {}
    for place, normalise in (("model.", ""), ("attacker.model.", "attacker.normalize.new_{}")):
        state |= {f"module.{place}{name}": v for name, v in resnet50.state_dict().items()}
        for which, values in (("mean", CIFAR10_MEAN), ("std", CIFAR10_STD)):
            name = (normalise or normaliser).format(which)
            state[f"module.{name}"] = torch.tensor(values).view(3, 1, 1)
    content = {key: state, "optimizer": {"param_groups": []}, "schedule": None, "epoch": 150}
    torch.save(content, tmp_path / "cifar_l2_0_5.pt", _use_new_zipfile_serialization=False)
    classifier = load("cifar:resnet50", tmp_path / "cifar_l2_0_5.pt", "cpu")
    pixels = torch.rand(2, 3, 32, 32)
    mean, std = (torch.tensor(each).view(1, 3, 1, 1) for each in (CIFAR10_MEAN, CIFAR10_STD))
    with torch.no_grad():
        torch.testing.assert_close(classifier(pixels), resnet50((pixels - mean) / std), **CLOSE)
        assert classifier.features(pixels).shape == (2, 2048)
    assert (classifier.input_size, classifier.gallery) == ((32, 32), "cifar10")
    assert classifier.labels[3] == "cat"


def save(tmp_path, state):
    torch.save(state, tmp_path / "w.pt")
    return tmp_path / "w.pt"


def test_a_stage_that_trades_saves_and_never_runs_is_left_out(tmp_path):
    network = randomised(WideResNet(28, 10, 10))
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    state |= {
        name.replace("block1", "sub_block1"): value + 1
        for name, value in state.items()
        if "block1.layer" in name and value.is_floating_point()
    }
    classifier = load("cifar:wide_resnet_28_10", save(tmp_path, state), "cpu")
    pixels = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(classifier(pixels), network(pixels), **CLOSE)


@pytest.mark.parametrize("in_file", [True, False])
def test_deepminds_normalisation_is_the_files_or_the_architectures(tmp_path, in_file):
    state = randomised(DeepMindWideResNet(28, 10, 100)).state_dict()
    if in_file:
        state |= {"mean": torch.full((3, 1, 1), 0.25), "std": torch.full((3, 1, 1), 0.5)}
    classifier = load("cifar:dm_wide_resnet_28_10", save(tmp_path, state), "cpu")
    assert classifier.mean == ((0.25,) * 3 if in_file else CIFAR10_MEAN)
    assert (len(classifier.labels), classifier.labels[99]) == (100, "class 99")


def test_parts_that_a_file_lacks_are_left_out(tmp_path):
    for last_norm in (True, False):
        network = randomised(PreActResNet(10, True, last_norm))
        state = {f"model.{name}": value for name, value in network.state_dict().items()}
        classifier = load("cifar:preact_resnet18", save(tmp_path, {"net": state}), "cpu")
        pixels = torch.rand(1, 3, 32, 32)
        with torch.no_grad():
            torch.testing.assert_close(classifier(pixels), network(pixels), **CLOSE)


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("cifar:resnet18", None, "an architecture without weights; give a file of them with"),
        ("cifar:resnet19", {"a": torch.ones(1)}, "no architecture 'cifar:resnet19'; did you mean"),
        ("cifar:resnet18", {"a": torch.ones(1)}, "do not fit cifar:resnet18: .*name the network"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path, name, state, words):
    with pytest.raises(ClassifierError, match=words):
        load(name, None if state is None else save(tmp_path, state), "cpu")
