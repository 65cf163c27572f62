"""What a benchmark says: the same for everybody, judged by the classifier itself, ratios within their rounds."""

from __future__ import annotations

import ctypes
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from explorer.benchmarks import baselines as peers
from explorer.benchmarks import speed as bench
from explorer.benchmarks.baselines import BASELINES, Baseline, Setting
from explorer.benchmarks.models import random_classifier, subject
from explorer.benchmarks.scaling import Peak, costs, memory
from explorer.benchmarks.speed import (
    BenchmarkError,
    gradient_flops,
    interleaved,
    judged,
    matrix_peaks,
    measure,
    ratio_of,
    same_images,
)
from explorer.classifiers import Classifier, load

SETTING = Setting(epsilon=4 / 255, steps=2)


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 10)

    def forward(self, images):
        return self.head(self.conv(images).relu().mean(dim=(2, 3)))


@pytest.fixture
def tiny():
    module = Tiny().eval().requires_grad_(False)
    return Classifier(
        module,
        labels=[str(i) for i in range(10)],
        input_size=(16, 16),
        gallery="cifar10",
        name="tiny",
    )


class Clock:
    """Stands still unless somebody works."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def library(name, attack, package="torch"):
    return Baseline(name, (package,), lambda *_: attack)


def test_images_are_the_gallery_with_noise_on_repetitions(tiny):
    images, labels = same_images(tiny, 45)
    assert images.shape == (45, 3, 16, 16)
    assert ((images >= 0) & (images <= 1)).all()
    assert len({image.numpy().tobytes() for image in images}) == 45
    assert (images[20] - images[0]).abs().max() <= bench.NOISE + 1e-6
    assert torch.equal(labels, tiny(images).argmax(dim=1))
    again, _ = same_images(tiny, 45)
    assert torch.equal(images, again)
    assert torch.equal(same_images(tiny, 3)[0], images[:3])


def test_everybody_gets_the_same_and_nobody_spoils_it_for_the_next(tiny):
    images, labels = same_images(tiny, 4)
    given, draws = {}, {}

    def greedy(name):
        def attack(pixels, classes):
            given.setdefault(name, []).append((pixels.clone(), classes.clone()))
            draws.setdefault(name, []).append(float(torch.rand(1)))
            pixels.zero_()
            classes.zero_()
            return pixels

        return attack

    interleaved({name: greedy(name) for name in "abc"}, images, labels, rounds=2)
    for name in "abc":
        assert len(given[name]) == 3
        assert all(
            torch.equal(pixels, images) and torch.equal(classes, labels)
            for pixels, classes in given[name]
        )
    assert len({draw for each in draws.values() for draw in each}) == 1


def test_ratios_are_taken_within_rounds(tiny):
    """A machine that slows tenfold in the third round: the ratio stays three."""
    images, labels = same_images(tiny, 2)
    clock, rounds = Clock(), {"ours": 0, "theirs": 0}
    order = []

    def taking(name, seconds):
        def attack(pixels, classes):
            slow = 10 if rounds[name] == 3 else 1
            rounds[name] += 1
            clock.now += seconds * slow
            order.append(name)
            return pixels

        return attack

    seconds, _, failed = interleaved(
        {"ours": taking("ours", 1.0), "theirs": taking("theirs", 3.0)}, images, labels, 4, clock
    )
    assert not failed
    assert seconds == {"ours": [1, 1, 10, 1], "theirs": [3, 3, 30, 3]}  # the first is not counted
    assert ratio_of(seconds["theirs"], seconds["ours"]) == pytest.approx((3, 3, 3))
    assert order == ["ours", "theirs", "theirs", "ours"] * 2 + ["ours", "theirs"]
    assert ratio_of([1, 2, 3, 4, 5], [1] * 5) == (2, 3, 4)


def test_one_that_fails_is_listed_and_the_others_are_measured(tiny):
    def broken(pixels, classes):
        raise RuntimeError("no such kernel\nand a long story")

    def unmakable(*_):
        raise TypeError("wrong version")

    found = measure(
        tiny,
        2,
        SETTING,
        2,
        peers=(
            library("broken", broken),
            library("sound", lambda pixels, classes: pixels),
            Baseline("absent", ("no_such_package",), unmakable),
            Baseline("unmakable", ("torch",), unmakable),
        ),
        peaks={"float32": 1e9},
    )
    by_name = {each.name: each for each in found.measured}
    assert list(by_name) == ["explorer", "broken", "sound", "absent", "unmakable"]
    assert by_name["broken"].problem == "failed: RuntimeError: no such kernel"
    assert by_name["absent"].problem == "not installed"
    assert by_name["unmakable"].problem == "failed: TypeError: wrong version"
    assert by_name["broken"].ratio is None
    assert len(by_name["sound"].seconds) == 2
    assert by_name["sound"].ratio is not None
    assert by_name["explorer"].ratio == (1, 1, 1)


def test_the_classifier_itself_is_the_judge(tiny):
    """Whatever a library claims: success and loss are of what it returned, and leaving the ball is seen."""
    images, labels = same_images(tiny, 6)
    wrong = labels.clone()
    wrong[:2] = (labels[:2] + 1) % 10
    still = judged("still", tiny, images, wrong, images, 0.1, [2.0, 2.0], [1.0, 1.0])
    assert still.success == pytest.approx(2 / 6)
    assert still.loss == pytest.approx(float(nn.functional.cross_entropy(tiny(images), wrong)))
    assert still.excess == 0
    assert still.ratio == (2, 2, 2)
    far = judged("far", tiny, images, labels, (images + 0.3).clamp(0, 1), 0.1, [1.0], [1.0])
    assert far.excess == pytest.approx(0.2, abs=1e-5)
    assert judged("outside", tiny, images, labels, images + 2, 5.0, [1.0], [1.0]).excess > 0.9


def test_flops_are_those_of_forward_and_the_gradient_for_the_image(tiny):
    convolution, head = 2 * 16 * 16 * 4 * 3 * 9, 2 * 4 * 10
    assert gradient_flops(tiny) == 2 * (convolution + head)  # none for weights: a third each
    found = measure(tiny, 2, SETTING, 1, peers=(), peaks={"float32": 1e9})
    assert found.flops == pytest.approx(2 * 2 * gradient_flops(tiny) / found.measured[0].seconds[0])
    assert found.precision == "float32"  # too small to gain from anything else
    assert found.peak == 1e9


def test_peaks_are_of_the_quickest_product():
    ticks = iter(range(1000))
    peaks = matrix_peaks(torch.device("cpu"), clock=lambda: float(next(ticks)), sizes=(8, 16))
    assert peaks == {"float32": 2 * 16**3, "bfloat16": 2 * 16**3}


@pytest.mark.parametrize(
    "name", ["torchattacks", "foolbox", "art", "autoattack", "adversarial-library"]
)
@pytest.mark.parametrize("module", peers.MODULES)
def test_each_library_attacks_the_classifier(tiny, name, module):
    """Whichever is installed: same shape, inside the ball, no easier to say than ours, and the classifier untouched."""
    peer = next(peer for peer in BASELINES if peer.name == name)
    if peer.package is None:
        pytest.skip(f"{name} is not installed")
    images, labels = same_images(tiny, 4)
    try:
        attack = peer.attack(tiny, SETTING, module)
    except ImportError as error:
        pytest.skip(f"{name} can't be imported: {error}")
    found = judged(
        name,
        tiny,
        images,
        labels,
        attack(images.clone(), labels.clone()),
        SETTING.epsilon,
        [1.0],
        [1.0],
    )
    assert found.excess < 1e-5
    before = judged("clean", tiny, images, labels, images, SETTING.epsilon, [1.0], [1.0])
    fooled_none = (
        name == "adversarial-library" and found.success == 0
    )  # it hands back the image itself where it did not fool
    assert (
        found.loss == before.loss
        if fooled_none
        else found.loss > before.loss or found.success > before.success
    )
    assert not any(
        parameter.requires_grad or parameter.grad is not None
        for parameter in tiny.module.parameters()
    )


def test_the_plain_network_is_what_torchvision_hands_out():
    classifier = load("cifar10-standard", device="cpu")
    plain, frozen = (peers._Pixels(classifier, module) for module in peers.MODULES)
    assert all(parameter.requires_grad for parameter in plain.parameters())
    assert all(parameter.is_contiguous() for parameter in plain.parameters())
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
    images, _ = same_images(classifier, 2)
    torch.testing.assert_close(plain(images), classifier(images), atol=1e-4, rtol=1e-4)


def test_weights_on_this_machine_come_first_and_random_ones_are_said(tmp_path, monkeypatch):
    from explorer.classifiers import downloads as published

    monkeypatch.setattr(published, "weights_folder", lambda: tmp_path / "none")
    made = subject("torchvision:squeezenet1_1", None, "cpu", tmp_path)
    assert made.random
    assert not any(parameter.requires_grad for parameter in made.classifier.module.parameters())
    again = random_classifier("squeezenet1_1", torch.device("cpu"))
    assert again.digest == made.classifier.digest
    from safetensors.torch import save_file

    (tmp_path / "weights").mkdir()
    state = {
        name: value.contiguous() * 0.5
        for name, value in made.classifier.module.state_dict().items()
    }
    save_file(state, str(tmp_path / "weights" / "squeezenet1_1-imagenet1k.safetensors"))
    found = subject("torchvision:squeezenet1_1", None, "cpu", tmp_path)
    assert not found.random
    assert found.classifier.digest != made.classifier.digest
    assert not subject("cifar10-standard", None, "cpu", tmp_path).random


def test_no_pictures_is_said(tiny, monkeypatch):
    monkeypatch.setattr(bench, "samples", lambda kind: ())
    with pytest.raises(BenchmarkError, match="install foolbox"):
        same_images(tiny, 2)


def test_costs_are_listed_by_kind_with_the_first_as_measure(tiny):
    found = costs(tiny, SETTING, 1, [1, 3])
    assert [(each.what, each.value) for each in found] == [
        ("epsilons", 1),
        ("epsilons", 12),
        ("epsilons, until fooled", 1),
        ("epsilons, until fooled", 12),
        ("restarts", 1),
        ("restarts", 5),
        ("restarts, until fooled", 1),
        ("restarts, until fooled", 5),
        ("steps", 5),
        ("steps", 10),
        ("steps", 20),
        ("steps", 40),
        ("batch", 1),
        ("batch", 3),
        ("side", 8),
        ("side", 16),
        ("side", 24),
    ]
    assert all(each.seconds > 0 and each.ratio[1] > 0 for each in found)
    assert all(
        each.ratio == (1, 1, 1)
        for each in found
        if (each.what, each.value) in {("epsilons", 1), ("steps", 5), ("side", 8)}
    )


def test_memory_is_listed_by_batch(tiny):
    found = memory(tiny, SETTING, [4, 1])
    assert [each.batch for each in found] == [1, 4]
    assert all(
        each.at_once == each.batch and each.per_sample > 0 and each.peak >= 0 for each in found
    )


def test_a_peak_is_the_most_that_was_held(monkeypatch):
    held = iter([100, 150, 400])
    process = SimpleNamespace(memory_info=lambda: SimpleNamespace(rss=next(held, 120)))
    monkeypatch.setattr(sys.modules[Peak.__module__].psutil, "Process", lambda: process)
    with Peak(torch.device("cpu")) as peak:
        deadline = time.monotonic() + 60
        while peak.bytes < 300 and time.monotonic() < deadline:
            time.sleep(0.001)
    assert peak.bytes == 300


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="needs glibc")
def test_memory_that_the_process_holds_already_is_counted_all_the_same():
    """An earlier, like attack left it; without giving it back first, a second one seems to take nothing."""

    def some() -> list[torch.Tensor]:
        return [torch.ones(2**20) for _ in range(24)]  # 4 MiB each

    def held() -> int:
        with Peak(torch.device("cpu")) as peak:
            block = some()
            time.sleep(0.1)  # more than one look
            assert len(block) == 24
        return peak.bytes

    some()  # freed at once, and kept
    assert held() > 80 * 2**20
    assert held() > 80 * 2**20
