"""What tests share: where real data lies, and skips that say what is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def shared(*parts: str) -> Path:
    """A file below ``EXPLORER_SHARED`` (default ``../shared``); the test skips, naming it, where it is missing."""
    path = Path(os.environ.get("EXPLORER_SHARED", ROOT.parent / "shared")).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs {path}")
    return path


@pytest.fixture
def panda() -> Path:
    return shared("data", "imagenet-samples", "0388_giant_panda.jpg")


@pytest.fixture
def squeezenet() -> Path:
    return shared("weights", "squeezenet1_1-imagenet1k.safetensors")
