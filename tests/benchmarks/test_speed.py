"""Benchmarks: equal conditions for all attacks, results verified by the classifier itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.benchmarks import rounds, speed
from explorer.benchmarks.baselines import (
    BASELINES,
    MODULE_FORMS,
    Baseline,
    module_copy,
)
from explorer.benchmarks.flops import gradient_flops, matrix_peaks
from explorer.benchmarks.models import load_model, random_classifier
from explorer.benchmarks.rounds import (
    BenchmarkError,
    gallery_images,
    ratio_quartiles,
    run_interleaved,
)
from explorer.benchmarks.speed import OURS, measure, verify
from explorer.classifiers import load
from tests.benchmarks.tiny import SETTING, tiny_classifier


@pytest.fixture
def tiny():
    return tiny_classifier()


class Clock:
    """A clock that an attack moves."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def library(name, attack, package="torch"):
    return Baseline(name, (package,), lambda *_: attack)


def test_images_are_the_gallery_with_noise_on_repetitions(tiny):
    images, labels = gallery_images(tiny, 45)
    assert images.shape == (45, 3, 16, 16)
    assert ((images >= 0) & (images <= 1)).all()
    assert len({image.numpy().tobytes() for image in images}) == 45
    assert (images[20] - images[0]).abs().max() <= rounds.NOISE + 1e-6
    assert torch.equal(labels, tiny(images).argmax(dim=1))
    again, _ = gallery_images(tiny, 45)
    assert torch.equal(images, again)
    assert torch.equal(gallery_images(tiny, 3)[0], images[:3])


def test_all_attacks_get_the_same_even_if_one_changes_its_inputs(tiny):
    images, labels = gallery_images(tiny, 4)
    inputs, draws = {}, {}

    def overwriting(name):
        def attack(pixels, classes):
            inputs.setdefault(name, []).append((pixels.clone(), classes.clone()))
            draws.setdefault(name, []).append(float(torch.rand(1)))
            pixels.zero_()
            classes.zero_()
            return pixels

        return attack

    run_interleaved({name: overwriting(name) for name in "abc"}, images, labels, rounds=2)
    for name in "abc":
        assert len(inputs[name]) == 3
        assert all(
            torch.equal(pixels, images) and torch.equal(classes, labels)
            for pixels, classes in inputs[name]
        )
    assert len({draw for each in draws.values() for draw in each}) == 1


def test_ratios_are_taken_within_rounds(tiny):
    """A machine that slows tenfold in the third round: the ratio stays three."""
    images, labels = gallery_images(tiny, 2)
    clock, calls = Clock(), {"ours": 0, "theirs": 0}
    order = []

    def taking(name, seconds):
        def attack(pixels, classes):
            slow = 10 if calls[name] == 3 else 1
            calls[name] += 1
            clock.now += seconds * slow
            order.append(name)
            return pixels

        return attack

    attacks = {"ours": taking("ours", 1.0), "theirs": taking("theirs", 3.0)}
    result = run_interleaved(attacks, images, labels, 4, clock)
    assert not result.errors
    # The first round is not counted.
    assert result.seconds == {"ours": [1, 1, 10, 1], "theirs": [3, 3, 30, 3]}
    ratio = ratio_quartiles(result.seconds["theirs"], result.seconds["ours"])
    assert ratio == pytest.approx((3, 3, 3))
    assert order == ["ours", "theirs", "theirs", "ours"] * 2 + ["ours", "theirs"]
    assert ratio_quartiles([1, 2, 3, 4, 5], [1] * 5) == (2, 3, 4)


def broken(pixels, classes):
    raise RuntimeError("no such kernel\nand a long story")


def test_a_baseline_that_fails_is_listed_and_the_others_are_measured(tiny):
    def unmakable(*_):
        raise TypeError("wrong version")

    case = measure(
        tiny,
        2,
        SETTING,
        2,
        baselines=(
            library("broken", broken),
            library("sound", lambda pixels, classes: pixels),
            Baseline("absent", ("no_such_package",), unmakable),
            Baseline("unmakable", ("torch",), unmakable),
        ),
        peaks={"float32": 1e9},
    )
    by_name = {row.name: row for row in case.measurements}
    assert list(by_name) == ["explorer", "broken", "sound", "absent", "unmakable"]
    assert by_name["broken"].problem == "failed: RuntimeError: no such kernel"
    assert by_name["absent"].problem == "not installed"
    assert by_name["unmakable"].problem == "failed: TypeError: wrong version"
    assert by_name["broken"].ratio is None
    assert len(by_name["sound"].seconds) == 2
    assert by_name["sound"].ratio is not None
    assert by_name["explorer"].ratio == (1, 1, 1)


def test_an_error_in_our_own_attack_is_not_hidden(tiny, monkeypatch):
    monkeypatch.setattr(speed, "_attacks", lambda *_: ({OURS: broken}, {}))
    with pytest.raises(RuntimeError, match="no such kernel"):
        measure(tiny, 2, SETTING, 1, baselines=(), peaks={})


def test_the_classifier_itself_verifies_the_images_that_a_library_returns(tiny):
    images, labels = gallery_images(tiny, 6)
    wrong = labels.clone()
    wrong[:2] = (labels[:2] + 1) % 10
    unchanged = verify("unchanged", tiny, images, wrong, images, 0.1, [2.0, 2.0], [1.0, 1.0])
    assert unchanged.success == pytest.approx(2 / 6)
    loss = float(nn.functional.cross_entropy(tiny(images), wrong))
    assert unchanged.loss == pytest.approx(loss)
    assert unchanged.excess == 0
    assert unchanged.ratio == (2, 2, 2)
    far = verify("far", tiny, images, labels, (images + 0.3).clamp(0, 1), 0.1, [1.0], [1.0])
    assert far.excess == pytest.approx(0.2, abs=1e-5)
    assert verify("outside", tiny, images, labels, images + 2, 5.0, [1.0], [1.0]).excess > 0.9


def test_flops_are_those_of_the_logits_and_their_gradient_at_the_image(tiny):
    convolution, head = 2 * 16 * 16 * 4 * 3 * 9, 2 * 4 * 10
    assert gradient_flops(tiny) == 2 * (convolution + head)  # those of the weights' are left out
    case = measure(tiny, 2, SETTING, 1, baselines=(), peaks={"float32": 1e9})
    seconds = case.measurements[0].seconds[0]
    assert case.flops == pytest.approx(2 * 2 * gradient_flops(tiny) / seconds)
    assert case.precision == "float32"  # too small to gain from anything else
    assert case.peak == 1e9


def test_peaks_are_of_the_quickest_product():
    ticks = iter(range(1000))
    peaks = matrix_peaks(torch.device("cpu"), clock=lambda: float(next(ticks)), sides=(8, 16))
    assert peaks == {"float32": 2 * 16**3, "bfloat16": 2 * 16**3}


@pytest.mark.parametrize(
    "name", ["torchattacks", "foolbox", "art", "autoattack", "adversarial-library"]
)
@pytest.mark.parametrize("form", MODULE_FORMS)
def test_each_library_attacks_the_classifier(tiny, name, form):
    """It stays in the ball, raises loss or success, and leaves the classifier untouched."""
    baseline = next(baseline for baseline in BASELINES if baseline.name == name)
    if baseline.package is None:
        pytest.skip(f"{name} is not installed")
    images, labels = gallery_images(tiny, 4)
    try:
        attack = baseline.attack(tiny, SETTING, form)
    except ImportError as error:
        pytest.skip(f"{name} can't be imported: {error}")
    adversarial = attack(images.clone(), labels.clone())
    epsilon = SETTING.epsilon
    after = verify(name, tiny, images, labels, adversarial, epsilon, [1.0], [1.0])
    assert after.excess < 1e-5
    before = verify("clean", tiny, images, labels, images, epsilon, [1.0], [1.0])
    if name == "adversarial-library" and after.success == 0:
        # It returns the original image where the attack fails.
        assert after.loss == before.loss
    else:
        assert after.loss > before.loss or after.success > before.success
    assert not any(
        parameter.requires_grad or parameter.grad is not None
        for parameter in tiny.module.parameters()
    )


def test_a_plain_copy_is_a_network_as_torchvision_makes_it():
    classifier = load("cifar10-standard", device="cpu")
    plain, frozen = (module_copy(classifier, form) for form in MODULE_FORMS)
    assert all(parameter.requires_grad for parameter in plain.parameters())
    assert all(parameter.is_contiguous() for parameter in plain.parameters())
    for copied in (classifier, frozen):
        assert not any(parameter.requires_grad for parameter in copied.parameters())
        assert not all(parameter.is_contiguous() for parameter in copied.parameters())
    images, _ = gallery_images(classifier, 2)
    torch.testing.assert_close(plain(images), classifier(images), atol=1e-4, rtol=1e-4)


def test_weights_on_this_machine_come_before_random_ones(tmp_path, monkeypatch):
    from explorer.classifiers import downloads

    monkeypatch.setattr(downloads, "weights_folder", lambda: tmp_path / "none")
    name = "torchvision:squeezenet1_1"
    untrained = load_model(name, None, "cpu", tmp_path)
    assert untrained.random
    parameters = untrained.classifier.module.parameters()
    assert not any(parameter.requires_grad for parameter in parameters)
    again = random_classifier("squeezenet1_1", torch.device("cpu"))
    assert again.digest == untrained.classifier.digest
    from safetensors.torch import save_file

    (tmp_path / "weights").mkdir()
    state = untrained.classifier.module.state_dict()
    save_file(
        {key: value.contiguous() * 0.5 for key, value in state.items()},
        str(tmp_path / "weights" / "squeezenet1_1-imagenet1k.safetensors"),
    )
    loaded = load_model(name, None, "cpu", tmp_path)
    assert not loaded.random
    assert loaded.classifier.digest != untrained.classifier.digest
    assert not load_model("cifar10-standard", None, "cpu", tmp_path).random


def test_a_gallery_without_pictures_is_an_error(tiny, monkeypatch):
    monkeypatch.setattr(rounds, "samples", lambda kind: ())
    with pytest.raises(BenchmarkError, match="install foolbox"):
        gallery_images(tiny, 2)
