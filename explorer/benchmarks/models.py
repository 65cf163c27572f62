"""The classifiers a benchmark runs on: with the weights that are on this machine, and where there are none with random ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from explorer.classifiers import Classifier, load
from explorer.classifiers.classifier import freeze, resolve_device
from explorer.classifiers.downloads import is_published, local_file
from explorer.classifiers.imagenet import TORCHVISION_PREFIX

DEFAULT = (
    "cifar10-standard",
    "tiny12-standard",
    *(TORCHVISION_PREFIX + name for name in ("squeezenet1_1", "googlenet", "resnet50")),
)
LEAST_SPREAD = 0.1  # of a logit among noise


@dataclass(frozen=True)
class BenchmarkModel:
    """A classifier, and whether its weights are random: what it costs is the same then, but fooling it means nothing."""

    classifier: Classifier
    random: bool = False


def subject(name: str, weights: Path | None, device: str, shared: Path) -> BenchmarkModel:
    """The classifier ``name`` with ``weights``, its own ones on this machine or in ``shared``/weights, else random ones: for
    torchvision's nothing is fetched. Raises :class:`~explorer.classifiers.ClassifierError`."""
    if weights is not None or not name.startswith(TORCHVISION_PREFIX):
        return BenchmarkModel(
            load(name, weights or (local_file(name) if is_published(name) else None), device)
        )
    architecture = name.removeprefix(TORCHVISION_PREFIX)
    found = local_file(name) or next(
        iter(sorted((shared / "weights").glob(f"{architecture}-*.safetensors"))), None
    )
    if found is not None:
        return BenchmarkModel(load(name, found, device))
    return BenchmarkModel(random_classifier(architecture, resolve_device(device)), random=True)


def random_classifier(architecture: str, device: torch.device) -> Classifier:
    """torchvision's ``architecture`` with random weights, always the same, and its published preprocessing. Where they let the signal
    die out, so that nothing could move a logit, the batch norms are given the statistics of noise."""
    from torchvision.models import get_model

    from explorer.classifiers.torchvision_models import CONSTRUCTION, weights_record

    record = weights_record(architecture)
    preset = record.transforms()
    size = preset.crop_size[0]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = get_model(architecture, weights=None, **CONSTRUCTION.get(architecture, {})).eval()
        noise = torch.randn(4, 3, size, size)
        with torch.no_grad():
            if float(module(noise).std(dim=0).mean()) < LEAST_SPREAD:
                _settle(module, noise)
    return Classifier(
        freeze(module, device),
        labels=record.meta["categories"],
        input_size=(size, size),
        mean=preset.mean,
        std=preset.std,
        resize=preset.resize_size[0],
        name=TORCHVISION_PREFIX + architecture,
        title=architecture,
    )


def _settle(module: nn.Module, images: Tensor) -> None:
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    module.train()(images)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.momentum = momentum
    module.eval()
