"""Sets of several small shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from explorer.classifiers import Classifier
from explorer.datasets.constructed import shards
from explorer.datasets.constructed.constructions import D_DET
from explorer.datasets.labelled import LabelledImages
from tests.datasets.constructed.building import build_in, plan_for


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)


@pytest.fixture
def folder(small_shards: None, tiny: Classifier, pictures: LabelledImages, tmp_path: Path) -> Path:
    """A D_det of 40 images in four shards."""
    plan = plan_for(tiny, pictures, replace(D_DET, steps=1))
    assert build_in(tmp_path / "det", plan, tiny, pictures)
    return tmp_path / "det"
