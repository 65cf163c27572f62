"""torch.compile as an opt-in on an accelerator, which leaves the network itself where it fails.

The compiler's tracing is real; only on a GPU does it make kernels.
"""

from __future__ import annotations

import pytest
import torch

from explorer.attacks import PGD, Threat
from explorer.classifiers import load
from explorer.engine import gradient_model, precision
from explorer.engine.compiled import CompiledForward
from explorer.engine.gradient_model import AutogradModel
from explorer.engine.tape_model import TapeModel
from explorer.experiments.one_image.attack_image import versions
from tests.small_models import any_images, labels_of, smooth_classifier

TRACED = "aot_eager"  # traces forward and backward pass as the compiler does, and makes no kernels


def test_compiled_logits_and_gradients_are_the_classifiers():
    classifier, images = smooth_classifier(), any_images(3)
    forward = CompiledForward(classifier, TRACED)
    ours, theirs = AutogradModel(classifier, forward), AutogradModel(classifier)
    torch.testing.assert_close(ours.logits(images), theirs.logits(images))
    logits, vjp = ours.logits_vjp(images)
    expected, expected_vjp = theirs.logits_vjp(images)
    torch.testing.assert_close(logits, expected)
    upstream = torch.randn(logits.shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(vjp(upstream), expected_vjp(upstream))
    assert forward.is_compiled


def test_a_compiler_that_fails_leaves_the_classifier():
    def broken(graph, inputs):
        raise OSError("there is no compiler")

    classifier, images = smooth_classifier(), any_images(2)
    forward = CompiledForward(classifier, broken)
    for _ in range(2):
        torch.testing.assert_close(forward(images), classifier(images))
    assert not forward.is_compiled


def test_want_of_memory_is_not_a_failure_of_the_compiler():
    def full(graph, inputs):
        return lambda *args: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory"))

    forward = CompiledForward(smooth_classifier(), full)
    with pytest.raises(torch.OutOfMemoryError):
        forward(any_images(2))
    assert forward.is_compiled


@pytest.mark.parametrize(("setting", "forms"), [("", 1), ("0", 1), ("1", 2)])
def test_an_accelerator_compiles_where_it_is_asked_to(monkeypatch, setting, forms):
    monkeypatch.setenv("EXPLORER_COMPILE", setting)
    assert len(precision._quickest_first(torch.device("cuda"))) == forms
    assert precision._quickest_first(torch.device("cpu"))[0] is TapeModel
    assert ("torch.compile" in versions()) == (setting == "1")


def test_a_compiled_copy_that_disagrees_is_left(monkeypatch):
    class Wrong(CompiledForward):
        def __call__(self, images):
            return -super().__call__(images)

    monkeypatch.setenv("EXPLORER_COMPILE", "1")
    monkeypatch.setattr(precision, "CompiledForward", lambda network: Wrong(network, TRACED))
    forms = precision._quickest_first(torch.device("cuda"))
    monkeypatch.setattr(precision, "_quickest_first", lambda device: forms)
    model, used = gradient_model(smooth_classifier(), "folded")
    assert used == "folded"
    assert isinstance(model, AutogradModel)
    assert not isinstance(model._forward, CompiledForward)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("form", ["folded", "bfloat16"])
def test_a_gpu_compiles_an_attack(monkeypatch, form):
    """torch 2.11 and 2.15 make a copy in bfloat16 whose gradients are NaN: it does not serve."""
    monkeypatch.setenv("EXPLORER_COMPILE", "1")
    classifier, images = load("cifar10-standard", device="cuda"), any_images(4, side=32)
    labels = labels_of(classifier, images)
    attack = PGD(Threat("linf", 8 / 255), steps=10, precision=form)
    compiled = attack(classifier, images, labels)
    model, _ = gradient_model(classifier, form)
    assert isinstance(model._forward, CompiledForward) == (form == "folded")
    monkeypatch.setenv("EXPLORER_COMPILE", "0")
    plain = attack(load("cifar10-standard", device="cuda"), images, labels)
    assert torch.equal(compiled.success, plain.success)
    torch.testing.assert_close(
        compiled.trace.loss[-1], plain.trace.loss[-1], atol=0.05, rtol=0.02, check_device=False
    )
