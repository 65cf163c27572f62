"""Devices by name, and whether one computes what the CPU computes."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from explorer.classifiers.classifier import Classifier, weight_dtype
from explorer.classifiers.error import ClassifierError
from explorer.errors import is_out_of_memory, type_and_message
from explorer.system import make_cuda_repeatable

AUTO = "auto"
KINDS = {"cuda": "CUDA device", "mps": "MPS device", "xpu": "XPU device"}
DEVICE_HELP = "auto, cpu, cuda, mps or xpu"

# How far logits may differ, as a share of the largest: what another order of adding up float32
# can't explain, or so many steps of a coarser type.
_MOST, _STEPS = 1e-3, 8
_TF32 = 2**-10  # a step of the type in which CUDA's convolutions multiply float32 by default
# The least cosine of the gradients. A ReLU whose input is near 0 may pass on one device alone, and
# rounding to bfloat16 leaves 0.88 of GoogLeNet's.
_LEAST_COSINE, _LEAST_COSINE_BFLOAT16 = 0.99, 0.8
_IMAGES = 2


def resolve_device(name: str) -> torch.device:
    """The device of that name; "auto" is the accelerator if torch can use one, else the CPU.

    Raises :class:`ClassifierError` for a device that this machine does not have.
    """
    accelerator = _accelerator()
    if name == AUTO:
        return torch.device("cpu") if accelerator is None else torch.device(accelerator)
    unknown = ClassifierError(f"unknown device {name!r}; use {DEVICE_HELP}")
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        raise unknown from None
    if device.type == "cpu":
        return device
    if device.type not in KINDS:
        raise unknown
    if device.type != accelerator:
        raise ClassifierError(
            f"this machine has no {KINDS[device.type]} that torch can use; use --device cpu or auto"
        )
    count = torch.accelerator.device_count()
    if (device.index or 0) >= count:
        raise ClassifierError(
            f"this machine has no {name}; its last {KINDS[device.type]} is "
            f"{device.type}:{count - 1}"
        )
    return device


def all_devices() -> list[torch.device]:
    """The CPU, then each accelerator."""
    devices, accelerator = [torch.device("cpu")], _accelerator()
    if accelerator is not None:
        count = torch.accelerator.device_count()
        devices += [torch.device(accelerator, index) for index in range(count)]
    return devices


def moved(classifier: Classifier, device: torch.device, *, required: bool) -> Classifier:
    """``classifier`` on ``device``, after a comparison with the CPU on noise.

    Where the device disagrees, lacks an operator or has too little memory, the classifier is left
    on the CPU with a note; if the device is ``required``, :class:`ClassifierError` says so.
    """
    if device.type == "cpu":
        return classifier.to(device)
    if device.type == "cuda":
        make_cuda_repeatable()
    classifier, problem = tried(classifier, device)
    if problem is not None and required:
        raise ClassifierError(f"{problem}; use --device cpu")
    if problem is not None:
        classifier.notes += (f"{problem}; the CPU is used instead",)
    return classifier


def tried(classifier: Classifier, device: torch.device) -> tuple[Classifier, str | None]:
    """``classifier`` on ``device`` and None; or on the CPU, and why the device can't serve.

    A classifier that can't run on the CPU is moved without a comparison.
    """
    images = _noise(classifier)
    try:
        classifier = classifier.to("cpu")
        expected = outputs_of(classifier, images)
        duplicate = copy.deepcopy(classifier)  # a broken device may not give the weights back
    except Exception as error:  # a person's module may fail in any way
        if is_out_of_memory(error):
            raise
        return classifier.to(device), None
    try:
        duplicate = duplicate.to(device)
        computed = outputs_of(duplicate, images)
        problem = disagreement(classifier, device, expected, computed)
    except Exception as error:  # such as an operator that is not implemented, or no float64
        problem = f"{classifier.name} can't run on {device}: {_reason(error)}"
    return (duplicate, None) if problem is None else (classifier, problem)


def _reason(error: Exception) -> str:
    if is_out_of_memory(error):
        return "it has too little memory"
    if isinstance(error, NotImplementedError):
        return f"it lacks an operator ({type_and_message(error)})"
    return type_and_message(error)


def _noise(classifier: Classifier) -> Tensor:
    shape = (_IMAGES, classifier.channels, *classifier.input_size)
    return torch.rand(shape, generator=torch.Generator().manual_seed(0))


def outputs_of(classifier: Classifier, images: Tensor) -> tuple[Tensor, Tensor | None]:
    """Logits, and the gradient of Σ logsumexp(logits) for the images, both on the CPU.

    The gradient is None where none reaches the images.
    """
    with torch.enable_grad():
        leaf = images.to(classifier.device).requires_grad_(True)
        logits = classifier(leaf)
        if not logits.requires_grad:
            return logits.cpu(), None
        (gradient,) = torch.autograd.grad(logits.logsumexp(dim=1).sum(), leaf)
    return logits.detach().cpu(), gradient.cpu()


def disagreement(
    classifier: Classifier,
    device: torch.device,
    expected: tuple[Tensor, Tensor | None],
    computed: tuple[Tensor, Tensor | None],
) -> str | None:
    """How far logits and gradients differ from the ``expected`` ones, if that is too far."""
    disagrees = f"{device} disagrees with the CPU on {classifier.name}"
    dtype = weight_dtype(classifier.module)
    step = max(torch.finfo(dtype).eps, _TF32 if device.type == "cuda" else 0)
    error = float((computed[0] - expected[0]).abs().max() / expected[0].abs().max().clamp(min=1e-6))
    if not error <= max(_MOST, _STEPS * step):  # also for nan
        return f"{disagrees}: its logits differ by {100 * error:.1f} %"
    if expected[1] is None or computed[1] is None:
        return None
    ours, theirs = (gradient.flatten(1).double() for gradient in (computed[1], expected[1]))
    rows = theirs.any(dim=1)
    cosines = nn.functional.cosine_similarity(ours[rows], theirs[rows], eps=1e-300)
    least = _LEAST_COSINE_BFLOAT16 if dtype == torch.bfloat16 else _LEAST_COSINE
    if not bool((cosines >= least).all()):
        return f"{disagrees}: the cosine of their gradients is {float(cosines.min()):.2f}"
    return None


def _accelerator() -> str | None:
    """The type of the accelerator that torch can use, if it is one of :data:`KINDS`."""
    device = torch.accelerator.current_accelerator(check_available=True)
    return device.type if device is not None and device.type in KINDS else None
