"""Empty folders of a machine, and the weights of a small classifier."""

from __future__ import annotations

import pytest
import torch
from torchvision.models import mobilenet_v3_small


@pytest.fixture
def folders(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_MODE", "local")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)
    (tmp_path / "weights").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def state():
    torch.manual_seed(0)
    return mobilenet_v3_small(weights=None, num_classes=2).eval().state_dict()
