"""Devices by name, and what becomes of one that does not compute what the CPU computes.

There is an accelerator on few machines: the tests put another one in its place.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from explorer.classifiers import Classifier, ClassifierError, devices, load
from explorer.classifiers.devices import (
    all_devices,
    disagreement,
    moved,
    outputs_of,
    resolve_device,
)

META = torch.device("meta")


@pytest.fixture
def accelerator(monkeypatch):
    """``accelerator(kind, count)``: what torch says of this machine."""

    def put(kind, count=1):
        device = None if kind is None else torch.device(kind)
        monkeypatch.setattr(
            torch.accelerator, "current_accelerator", lambda check_available=False: device
        )
        monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)

    return put


@pytest.mark.parametrize("kind", ["cuda", "mps", "xpu"])
def test_auto_is_the_accelerator_of_this_machine(accelerator, kind):
    accelerator(kind, 2)
    assert resolve_device("auto") == torch.device(kind)
    assert resolve_device(f"{kind}:1") == torch.device(kind, 1)
    assert resolve_device("cpu") == torch.device("cpu")
    assert all_devices() == [torch.device("cpu"), torch.device(kind, 0), torch.device(kind, 1)]
    with pytest.raises(ClassifierError, match=rf"no {kind}:2; its last .* device is {kind}:1"):
        resolve_device(f"{kind}:2")


@pytest.mark.parametrize("kind", [None, "hpu"])
def test_auto_is_the_cpu_without_one_that_is_known(accelerator, kind):
    accelerator(kind)
    assert resolve_device("auto") == torch.device("cpu")
    assert all_devices() == [torch.device("cpu")]
    for missing in ("cuda", "mps", "xpu"):
        words = f"no {missing.upper()} device that torch can use; use --device cpu or auto"
        with pytest.raises(ClassifierError, match=words):
            resolve_device(missing)


@pytest.mark.parametrize("device", ["meta", "vulkan", "abacus", "cpu:x", ""])
def test_any_other_device_is_one_sentence(device):
    words = f"unknown device '{device}'; use auto, cpu, cuda, mps or xpu"
    with pytest.raises(ClassifierError, match=words):
        resolve_device(device)


def small(dtype=torch.float32):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    return Classifier(
        module.to(dtype).eval(), labels=["a", "b", "c"], input_size=(8, 8), name="small"
    )


@pytest.fixture
def computes(monkeypatch):
    """``computes(change)``: the other device's outputs are those of the CPU after ``change``."""

    def put(change):
        def outputs(classifier, images):
            if classifier.device.type == "cpu":
                return outputs_of(classifier, images)
            on_cpu = small(next(classifier.module.parameters()).dtype)
            return change(*outputs_of(on_cpu, images))

        monkeypatch.setattr(devices, "outputs_of", outputs)

    return put


def fail(error):
    def change(logits, gradient):
        raise error

    return change


PROBLEMS = {
    "logits": (lambda z, g: (z * 1.01, g), "meta disagrees with the CPU on small: its logits diff"),
    "nan": (lambda z, g: (z * float("nan"), g), "its logits differ by nan"),
    "gradients": (lambda z, g: (z, -g), r"the cosine of their gradients is -1\.00"),
    "operator": (
        fail(NotImplementedError("aten::pool is not implemented for MPS\nmore")),
        r"small can't run on meta: it lacks an operator \(NotImplementedError: aten::pool is not",
    ),
    "memory": (
        fail(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)")),
        "small can't run on meta: it has too little memory",
    ),
    "oom": (fail(torch.OutOfMemoryError("CUDA out of memory")), "it has too little memory"),
    "type": (fail(TypeError("MPS has no float64")), "small can't run on meta: TypeError: MPS has"),
}


@pytest.mark.parametrize(("change", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_device_that_cannot_serve_is_left(computes, change, words):
    computes(change)
    classifier = moved(small(), META, required=False)
    assert classifier.device.type == "cpu"
    assert not any(weight.is_meta for weight in classifier.parameters())
    (note,) = classifier.notes
    assert note.endswith("; the CPU is used instead")
    with pytest.raises(ClassifierError, match=words) as error:
        moved(small(), META, required=True)
    assert str(error.value).endswith("; use --device cpu")
    assert "\n" not in str(error.value)


def test_a_device_that_agrees_but_for_rounding_is_used(computes):
    computes(lambda z, g: (z * (1 + 1e-4), g * (1 + 1e-4)))
    classifier = moved(small(), META, required=False)
    assert (classifier.device, classifier.notes) == (META, ())


@pytest.mark.parametrize(
    ("dtype", "error", "agrees"),
    [
        (torch.float32, 5e-4, True),
        (torch.float32, 2e-3, False),
        (torch.float64, 2e-3, False),
        (torch.bfloat16, 2e-2, True),
        (torch.bfloat16, 0.1, False),
        (torch.float16, 2e-2, False),
    ],
)
def test_coarse_types_may_differ_by_more(dtype, error, agrees):
    classifier = small(dtype)
    images = torch.rand(2, 3, 8, 8)
    logits, gradient = outputs_of(classifier, images)
    problem = disagreement(
        classifier, META, (logits, gradient), (logits + error * logits.abs().max(), gradient)
    )
    assert (problem is None) == agrees


def test_convolutions_of_cuda_are_coarser_by_default():
    logits = torch.tensor([[1.0, 0.0]])
    for device, agrees in (("cuda", True), ("xpu", False)):
        problem = disagreement(
            small(), torch.device(device), (logits, None), (logits * 1.004, None)
        )
        assert (problem is None) == agrees


def test_images_without_a_gradient_are_not_compared():
    logits, gradient = torch.ones(2, 3), torch.ones(2, 3, 4, 4)
    gradient[0] = 0
    assert disagreement(small(), META, (logits, gradient), (logits, gradient)) is None
    assert disagreement(small(), META, (logits, gradient), (logits, -gradient)) is not None


def test_the_meta_device_computes_nothing_and_is_left():
    with pytest.raises(ClassifierError, match="small can't run on meta: "):
        moved(small(), META, required=True)


def test_a_network_that_the_cpu_cannot_run_is_not_compared(monkeypatch):
    def outputs(classifier, images):
        raise RuntimeError("it wants a GPU")

    monkeypatch.setattr(devices, "outputs_of", outputs)
    assert moved(small(), META, required=True).device == META


def test_without_a_gradient_the_logits_are_compared_alone():
    class Step(nn.Module):
        def forward(self, images):
            return images.detach().flatten(1)[:, :3].round()

    classifier = Classifier(Step(), labels=["a", "b", "c"], input_size=(4, 4))
    outputs = outputs_of(classifier, torch.rand(2, 3, 4, 4))
    assert outputs[1] is None
    assert disagreement(classifier, META, outputs, outputs) is None


def test_load_falls_back_from_auto_and_says_so(accelerator, monkeypatch):
    accelerator("mps")
    monkeypatch.setattr(devices, "tried", lambda model, device: (model, f"{device} is broken"))
    classifier = load("cifar10-standard")
    assert classifier.device.type == "cpu"
    assert classifier.notes == ("mps is broken; the CPU is used instead",)
    with pytest.raises(ClassifierError, match="mps is broken; use --device cpu"):
        load("cifar10-standard", device="mps")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_agrees_with_the_cpu():
    classifier = load("cifar10-standard", device="cuda")
    assert (classifier.device.type, classifier.notes) == ("cuda", ())
