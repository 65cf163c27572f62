"""What tests share: where real data lies, and skips that say what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from explorer.classifiers import Classifier, load
from explorer.images.gallery import samples
from explorer.images.geometry import resize_and_crop

ROOT = Path(__file__).resolve().parents[1]


def shared(*parts: str) -> Path:
    """A file below ``EXPLORER_SHARED`` (default ``../shared``); the test skips, naming it, where it is missing."""
    path = Path(os.environ.get("EXPLORER_SHARED", ROOT.parent / "shared")).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path}")
    return path


@pytest.fixture(scope="session", autouse=True)
def a_machine_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No classifier that a developer fetched or brought is seen by a test, and none is left behind."""
    folder = tmp_path_factory.mktemp("machine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_CACHE", str(folder / "cache"))
        patch.setenv("EXPLORER_WEIGHTS", str(folder / "weights"))
        patch.delenv("EXPLORER_MODELS", raising=False)
        yield


@pytest.fixture
def panda() -> Path:
    return shared("data", "imagenet-samples", "0388_giant_panda.jpg")


@pytest.fixture
def squeezenet() -> Path:
    return shared("weights", "squeezenet1_1-imagenet1k.safetensors")


@pytest.fixture(scope="session")
def real() -> Classifier:
    """A bundled network; not channels-last, whose gradients torchattacks can't view as rows."""
    classifier = load("cifar10-standard", device="cpu")
    classifier.module.to(memory_format=torch.contiguous_format)
    return classifier


@pytest.fixture(scope="session")
def pictures(real: Classifier) -> tuple[Tensor, Tensor]:
    """Foolbox's twenty CIFAR-10 test images and their labels."""
    found = samples("cifar10")
    images = torch.stack([resize_and_crop(sample.read(), real.input_size) for sample in found])
    return images, torch.tensor([sample.label for sample in found])
