"""What tests share: where real data lies, and skips that say what is missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

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
