"""Which copy gives the gradients; the classifier itself decides."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from explorer.attacks import PGD, Threat
from explorer.attacks import pgd as pgd_module
from explorer.attacks.threat import flat_norm
from explorer.classifiers import load
from explorer.engine import convolution, gradient_model, linear
from explorer.engine import precision as engine_precision
from explorer.engine.gradient_model import AutogradModel
from explorer.engine.tape_model import TapeModel
from tests.networks import (
    LyingModel,
    OnlyFloat32,
    Scrambled,
    SharedConvOutput,
    ValueDependent,
    classifier_of,
    conv_pool_norm_relu,
    with_random_norms,
)

needs_bfloat16 = pytest.mark.skipif(
    not torch.cpu._is_avx512_bf16_supported(), reason="needs a CPU with bfloat16 units"
)


def test_the_copy_follows_the_weights():
    torch.manual_seed(0)  # some random networks of so few weights lose their way in bfloat16
    classifier, images = classifier_of(conv_pool_norm_relu()), torch.rand(2, 3, 8, 8)
    classifier(images)
    first, precision = gradient_model(classifier, "bfloat16")
    assert precision == "bfloat16"
    assert gradient_model(classifier, "bfloat16")[0] is first
    with torch.no_grad():
        classifier.module[-1].weight.mul_(-2)
    second, _ = gradient_model(classifier, "bfloat16")
    assert second is not first
    torch.testing.assert_close(second.logits(images), classifier(images), atol=0.1, rtol=0.1)


@pytest.mark.parametrize("change", ["in place", "through .data", "assigned"])
def test_an_attack_never_uses_a_copy_of_old_weights(change):
    standard, other = load("cifar10-standard", device="cpu"), load("cifar10-robust", device="cpu")
    first, _ = gradient_model(standard, "folded")
    assert gradient_model(standard, "folded")[0] is first
    if change == "in place":
        standard.load_state_dict(other.state_dict())
    elif change == "assigned":
        standard.load_state_dict(other.state_dict(), assign=True)
    else:
        for ours, theirs in zip(standard.parameters(), other.parameters(), strict=True):
            ours.data.copy_(theirs.data)
    images = torch.rand(2, 3, 32, 32)
    second, _ = gradient_model(standard, "folded")
    torch.testing.assert_close(second.logits(images), standard(images), atol=1e-4, rtol=1e-3)


class Flattening(nn.Module):
    """LeNet's way to flatten, which channels-last activations refuse."""

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(4 * 36, 3)

    def forward(self, images):
        activations = self.conv(images).relu()
        return self.head(activations.view(activations.size(0), -1))


def assert_serves_itself(classifier, precision):
    model, used = gradient_model(classifier, precision)
    assert used == "float32"
    assert model.network is classifier


@pytest.mark.parametrize("kind", [OnlyFloat32, Scrambled])
def test_a_module_that_a_copy_would_misrepresent_serves_itself(kind):
    assert_serves_itself(classifier_of(kind().eval()), "bfloat16")


def test_a_module_without_convolutions_serves_itself():
    classifier = classifier_of(nn.Sequential(nn.Flatten(), nn.Linear(192, 3)))
    assert_serves_itself(classifier, "auto")


@pytest.mark.parametrize("precision", ["auto", "float32", "folded", "bfloat16"])
def test_a_module_that_flattens_by_view_is_attacked(precision):
    torch.manual_seed(0)
    classifier, images = classifier_of(Flattening().eval()), torch.rand(2, 3, 8, 8)
    labels = classifier(images).argmax(dim=1)
    result = PGD(Threat("linf", 0.3), steps=5, precision=precision)(classifier, images, labels)
    assert torch.equal(result.success, classifier(result.adversarial).argmax(dim=1) != labels)
    assert classifier.module.conv.weight.is_contiguous()


@pytest.mark.parametrize(("norm", "epsilon"), [("linf", 2 / 255), ("l2", 0.25)])
def test_success_is_what_the_classifier_says_in_float32(norm, epsilon):
    classifier = load("cifar10-standard", device="cpu")
    images = torch.rand(24, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    labels = classifier(images).argmax(dim=1)
    attack = PGD(Threat(norm, epsilon / 4), steps=5, precision="bfloat16")
    result = attack(classifier, images, labels)
    logits = classifier(result.adversarial)
    assert result.precision == "bfloat16"
    torch.testing.assert_close(result.logits, logits)
    assert torch.equal(result.success, logits.argmax(dim=1) != labels)
    assert torch.equal(result.trace.success_at_kept, result.success)
    assert (flat_norm(result.adversarial - images, norm) <= epsilon / 4 + 1e-6).all()


def test_a_success_of_the_copy_alone_is_attacked_again(monkeypatch):
    """A copy that is fooled by the start already, where the classifier is not."""
    classifier = load("cifar10-standard", device="cpu")
    images = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
    labels = classifier(images).argmax(dim=1)
    lying = LyingModel(classifier, labels)
    monkeypatch.setattr(pgd_module, "gradient_model", lying.instead_of_a_copy)
    attack = PGD(Threat("linf", 4 / 255), steps=5, precision="bfloat16")
    honest = PGD(Threat("linf", 4 / 255), steps=5, precision="float32")
    expected = honest(classifier, images, labels)
    result = attack(classifier, images, labels, frames=True)
    assert torch.equal(result.success, expected.success)
    assert result.success.any()
    kept = result.trace.frames[result.trace.kept, torch.arange(6)]
    assert torch.equal(kept, result.adversarial)


@needs_bfloat16
def test_in_bfloat16_the_batch_does_not_change_a_bit():
    classifier = load("cifar10-standard", device="cpu")
    images = torch.rand(5, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    labels = classifier(images).argmax(dim=1)
    attack = PGD(Threat("l2", 0.2), steps=4, precision="bfloat16")
    batch = attack(classifier, images, labels).adversarial
    alone = [attack(classifier, images[i : i + 1], labels[i : i + 1]).adversarial for i in range(5)]
    assert torch.equal(batch, torch.cat(alone))


def test_want_of_memory_does_not_decide_the_form(monkeypatch):
    def fail(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(engine_precision, "optimized_copy", fail)
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        gradient_model(load("cifar10-standard"), "folded")


def test_tiny_gradients_can_agree():
    gradients = torch.rand(2, 50, generator=torch.Generator().manual_seed(0)) * 1e-20
    assert engine_precision._agreement(gradients, 3 * gradients) == pytest.approx(1)
    assert engine_precision._agreement(gradients, -gradients) == pytest.approx(-1)
    assert not engine_precision._agreement(gradients, 0 * gradients) >= -1  # NaN


@needs_bfloat16
def test_a_module_that_can_not_be_captured_is_copied_for_autograd():
    plain, precision = gradient_model(classifier_of(ValueDependent().eval()), "bfloat16")
    assert precision == "bfloat16"
    assert isinstance(plain, AutogradModel)
    captured, _ = gradient_model(classifier_of(with_random_norms(SharedConvOutput())), "bfloat16")
    assert isinstance(captured, TapeModel)


def test_a_first_attack_does_not_wait_for_sympy():
    """torch imports it, half a second, for several things that an attack could do."""
    script = """
import sys, torch
from explorer.attacks import PGD, Threat
from explorer.classifiers import load
for precision in ("auto", "folded", "float32"):
    attack = PGD(Threat("linf", 0.01), steps=1, precision=precision)
    attack(load("tiny12-standard"), torch.rand(1, 3, 64, 64), torch.tensor([0]))
sys.exit("sympy" in sys.modules)
"""
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=root).returncode == 0


def test_without_onednn_a_plain_copy_serves(monkeypatch):
    """As on processors for which torch is built without it."""

    class Missing:
        def __getattr__(self, name):
            raise AttributeError(f"'_OpNamespace' 'mkldnn' object has no attribute '{name}'")

    monkeypatch.setattr(convolution, "OPERATORS", Missing())
    monkeypatch.setattr(linear, "OPERATORS", Missing())
    copied, precision = gradient_model(
        classifier_of(with_random_norms(SharedConvOutput())), "folded"
    )
    assert precision == "folded"
    assert isinstance(copied, AutogradModel)
