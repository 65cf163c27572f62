"""The classifiers of a benchmark, with the weights on this machine or else with random ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier, load
from explorer.classifiers.classifier import freeze
from explorer.classifiers.devices import resolve_device
from explorer.classifiers.downloads import is_published, local_file
from explorer.classifiers.imagenet import TORCHVISION_PREFIX

DEFAULT_MODELS = (
    "cifar10-standard",
    "tiny12-standard",
    *(TORCHVISION_PREFIX + name for name in ("squeezenet1_1", "googlenet", "resnet50")),
)
HEAD_SPREAD = 0.02  # standard deviation of a head's weights
MIN_SPREAD = 0.1  # standard deviation of a logit over images of noise


@dataclass(frozen=True)
class BenchmarkModel:
    """A classifier, and whether its weights are random.

    An attack costs as much with random weights, but its success means nothing.
    """

    classifier: Classifier
    random: bool = False


def load_model(name: str, weights: Path | None, device: str, shared: Path) -> BenchmarkModel:
    """The classifier ``name`` with ``weights``, else with its weights on this machine.

    They are looked for where downloads go and in ``shared``/weights. A torchvision classifier whose
    weights are nowhere gets random ones; nothing is fetched for it.
    Raises :class:`~explorer.classifiers.ClassifierError`.
    """
    if weights is not None or not name.startswith(TORCHVISION_PREFIX):
        return BenchmarkModel(
            load(name, weights or (local_file(name) if is_published(name) else None), device)
        )
    architecture = name.removeprefix(TORCHVISION_PREFIX)
    shared_files = sorted((shared / "weights").glob(f"{architecture}-*.safetensors"))
    file = local_file(name) or next(iter(shared_files), None)
    if file is not None:
        return BenchmarkModel(load(name, file, device))
    return BenchmarkModel(random_classifier(architecture, resolve_device(device)), random=True)


def random_classifier(architecture: str, device: torch.device) -> Classifier:
    """torchvision's ``architecture`` with its published preprocessing and fixed random weights.

    Where the logits hardly depend on the image, the batch norms get the statistics of noise: else
    the signal dies out on its way and no attack has a gradient.
    """
    from torchvision.models import get_model

    from explorer.classifiers.torchvision_models import (
        BUILD_OPTIONS,
        classifier_around,
        preprocessing,
        weights_record,
    )

    options = preprocessing(weights_record(architecture))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        build = dict(BUILD_OPTIONS.get(architecture, {}))
        if architecture.startswith("vit_"):  # its weights may be for larger images than its default
            build["image_size"] = options["input_size"][0]
        module = get_model(architecture, weights=None, **build).eval()
        _draw_zero_layers(module)
        noise = torch.randn(4, 3, *options["input_size"])
        with torch.no_grad():
            if float(module(noise).std(dim=0).mean()) < MIN_SPREAD:
                _calibrate_batch_norms(module, noise)
    options |= {"name": TORCHVISION_PREFIX + architecture, "title": architecture}
    return classifier_around(freeze(module, device), architecture, **options)


def _draw_zero_layers(module: nn.Module) -> None:
    """Random weights for linear layers that start at zero, as vision transformers' heads do."""
    for part in module.modules():
        if isinstance(part, nn.Linear) and not part.weight.any():
            nn.init.normal_(part.weight, std=HEAD_SPREAD)


def _calibrate_batch_norms(module: nn.Module, images: Tensor) -> None:
    """Set the running statistics of all batch norms to those of ``images``."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    module.train()(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.eval()
