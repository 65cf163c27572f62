"""What tests of classifiers that are stored share: a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, empty as yet, in which this test's classifiers are stored."""
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("EXPLORER_MODELS", raising=False)
    return tmp_path / "cache"
