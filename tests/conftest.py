"""Fixtures that all tests share: real data, or a skip that says what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from explorer.classifiers import Classifier, load
from explorer.files import shared_folder
from explorer.images.gallery import samples
from explorer.images.geometry import resize_and_crop
from tests import PROCESSES
from tests.faults.forked import Commands, commands

# Each process of pytest-xdist has its share of the cores (tests/__init__.py has more of it).
if PROCESSES > 1:
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // PROCESSES))


# What takes longest starts first, so that no process is left alone with it at the end.
# (--no-loadscope-reorder in pyproject.toml keeps this order.)
TESTS = Path(__file__).parent
LONGEST = tuple(
    TESTS / name
    for name in ("journeys", "sessions", "test_ranks.py", "test_same_bytes.py", "test_install.py")
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not {item.path, *item.path.parents}.intersection(LONGEST))


def shared(*parts: str) -> Path:
    """A file of the developers' data (:func:`shared_folder`); without it the test is skipped."""
    path = shared_folder().joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path}")
    return path


@pytest.fixture(scope="session", autouse=True)
def separate_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests neither see nor leave classifiers in the developer's own folders."""
    folder = tmp_path_factory.mktemp("caches")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXPLORER_CACHE", str(folder / "cache"))
        patch.setenv("EXPLORER_WEIGHTS", str(folder / "weights"))
        patch.delenv("EXPLORER_MODELS", raising=False)
        yield


@pytest.fixture(scope="session")
def forks() -> Iterator[Commands]:
    """Starts commands in processes of their own, without the seconds that imports take."""
    with commands() as started:
        yield started


@pytest.fixture
def panda() -> Path:
    return shared("data", "imagenet-samples", "0388_giant_panda.jpg")


@pytest.fixture
def squeezenet() -> Path:
    return shared("weights", "squeezenet1_1-imagenet1k.safetensors")


@pytest.fixture(scope="session")
def bundled_classifier() -> Classifier:
    return load("cifar10-standard", device="cpu")


@pytest.fixture(scope="session")
def gallery_images(bundled_classifier: Classifier) -> tuple[Tensor, Tensor]:
    """Foolbox's twenty CIFAR-10 test images, float32 [20, 3, 32, 32], and their labels."""
    pictures = samples("cifar10")
    size = bundled_classifier.input_size
    images = torch.stack([resize_and_crop(sample.read(), size) for sample in pictures])
    return images, torch.tensor([sample.label for sample in pictures])
