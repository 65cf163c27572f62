"""The prepared copy: the same function, never trusted with the verdict."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.attacks import PGD
from explorer.attacks.threat import Threat, flat_norm
from explorer.classifiers import load
from explorer.engine import convolution as packed
from explorer.engine import precision as engine
from explorer.engine.optimized_copy import Taped
from explorer.engine.precision import at_precision
from tests.networks import Tapped, Twisting, classifier_of, pooled, seeded


def test_the_copy_follows_the_weights():
    torch.manual_seed(0)  # of few weights, some random ones lose their way in bfloat16
    classifier, images = classifier_of(pooled()), torch.rand(2, 3, 8, 8)
    classifier(images)
    first, precision = at_precision(classifier, "bfloat16")
    assert precision == "bfloat16"
    assert at_precision(classifier, "bfloat16")[0] is first
    with torch.no_grad():
        classifier.module[-1].weight.mul_(-2)
    second, _ = at_precision(classifier, "bfloat16")
    assert second is not first
    torch.testing.assert_close(second(images), classifier(images), atol=0.1, rtol=0.1)


class OnlyFloat32(nn.Module):
    """Works in one type alone, as a user's module may."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, images):
        if images.dtype != torch.float32:
            raise TypeError("float32 only")
        return self.conv(images).mean(dim=(2, 3))


class Scrambled(OnlyFloat32):
    """Another function as soon as its input is not float32."""

    def forward(self, images):
        return self.conv(images).mean(dim=(2, 3)) * (1 if images.dtype == torch.float32 else -1)


@pytest.mark.parametrize("kind", [OnlyFloat32, Scrambled])
def test_a_module_that_a_copy_would_misrepresent_is_used_itself(kind):
    classifier = classifier_of(kind().eval())
    assert at_precision(classifier, "bfloat16") == (classifier, "float32")


def test_a_module_without_convolutions_climbs_in_float32():
    classifier = classifier_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    assert at_precision(classifier, "auto") == (classifier, "float32")


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 2 / 255), ("l2", 0.25)])
def test_success_is_what_the_classifier_says_in_float32(norm, epsilon):
    classifier = load("cifar10-standard")
    images = torch.rand(24, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    labels = classifier(images).argmax(dim=1)
    result = PGD(Threat(norm, epsilon / 4), steps=5, precision="bfloat16")(
        classifier, images, labels
    )
    said = classifier(result.adversarial)
    assert result.precision == "bfloat16"
    torch.testing.assert_close(result.logits, said)
    assert torch.equal(result.success, said.argmax(dim=1) != labels)
    assert torch.equal(result.trace.success_at_kept, result.success)
    assert (flat_norm(result.adversarial - images, norm) <= epsilon / 4 + 1e-6).all()


def test_a_success_that_only_the_copy_sees_is_attacked_again(monkeypatch):
    """A copy that lies: it calls everything fooled at the start, where the classifier does not."""
    classifier = load("cifar10-standard")
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    labels = classifier(images).argmax(dim=1)

    class Lying(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = classifier.module

        def forward(self, normalised):
            logits = self.inner(normalised)
            return logits - 100 * nn.functional.one_hot(labels[: len(logits)], 10)

    from explorer.attacks import pgd

    monkeypatch.setattr(
        pgd,
        "at_precision",
        lambda chosen, precision: (
            (chosen, "float32")
            if precision == "float32"
            else (chosen.with_module(Lying()), "bfloat16")
        ),
    )
    attack = PGD(Threat("linf", 4 / 255), steps=5, precision="bfloat16")
    expected = PGD(Threat("linf", 4 / 255), steps=5, precision="float32")(
        classifier, images, labels
    )
    result = attack(classifier, images, labels, frames=True)
    assert torch.equal(result.success, expected.success)
    assert result.success.any()
    kept = result.trace.frames[result.trace.kept, torch.arange(6)]
    assert torch.equal(kept, result.adversarial)


@pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units"
)
def test_the_same_in_bfloat16_whatever_the_batch():
    classifier = load("cifar10-standard")
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    labels = classifier(images).argmax(dim=1)
    attack = PGD(Threat("l2", 0.2), steps=4, precision="bfloat16")
    together = attack(classifier, images, labels)
    alone = [attack(classifier, images[i : i + 1], labels[i : i + 1]) for i in range(5)]
    assert torch.equal(together.adversarial, torch.cat([each.adversarial for each in alone]))


def test_a_module_too_quick_to_be_timed_climbs_in_float32(monkeypatch):
    monkeypatch.setattr(engine, "_gain", lambda *_: 100.0)
    classifier = classifier_of(pooled())
    classifier(torch.rand(2, 3, 8, 8))
    assert at_precision(classifier, "auto")[1] == "float32"


@pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units"
)
@pytest.mark.parametrize(("gain", "expected"), [(100.0, "bfloat16"), (1.0, "float32")])
def test_what_is_measured_decides_for_a_real_network(monkeypatch, gain, expected):
    monkeypatch.setattr(engine, "_gain", lambda *_: gain)
    assert at_precision(load("cifar10-standard"), "auto")[1] == expected


@pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units"
)
def test_what_can_not_be_taped_climbs_on_the_plain_copy():
    copied, precision = at_precision(classifier_of(Twisting().eval()), "bfloat16")
    assert precision == "bfloat16"
    assert not isinstance(copied.module, Taped)
    taped, _ = at_precision(classifier_of(seeded(Tapped())), "bfloat16")
    assert isinstance(taped.module, Taped)


def test_a_first_attack_does_not_wait_for_sympy():
    """torch loads it, half a second, for more than one of the things an attack could do."""
    script = """
import sys, torch
from explorer.attacks import PGD
from explorer.classifiers import load
from explorer.attacks.threat import Threat
for precision in ("auto", "folded", "float32"):
    PGD(Threat("linf", 0.01), steps=1, precision=precision)(load("tiny12-standard"), torch.rand(1, 3, 64, 64), torch.tensor([0]))
sys.exit("sympy" in sys.modules)
"""
    assert (
        subprocess.run(
            [sys.executable, "-c", script], check=False, cwd=Path(__file__).parents[2]
        ).returncode
        == 0
    )


def test_without_onednn_a_plain_copy_serves(monkeypatch):
    """As on processors for which torch is built without it."""

    class Missing:
        def __getattr__(self, name):
            raise AttributeError(f"'_OpNamespace' 'mkldnn' object has no attribute '{name}'")

    monkeypatch.setattr(packed, "OPERATORS", Missing())
    copied, precision = at_precision(classifier_of(seeded(Tapped())), "folded")
    assert precision == "folded"
    assert not isinstance(copied.module, Taped)
