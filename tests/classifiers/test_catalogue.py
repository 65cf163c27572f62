"""The catalogue: its classifiers, their figures and where the figures come from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torchvision.models import get_model

from explorer.classifiers import catalogue, load
from explorer.classifiers.catalogue import bundled_cards
from explorer.classifiers.imagenet import ROBUST
from explorer.classifiers.packaged import EFFICIENTNET

ROOT = Path(__file__).resolve().parents[2]


def test_the_catalogue_lists_the_bundled_classifiers_with_their_figures():
    entries = {entry.name: entry for entry in catalogue()}
    assert list(entries) == [*bundled_cards(), EFFICIENTNET]
    for name in bundled_cards():
        entry = entries[name]
        assert entry.available
        assert entry.where.is_file()
        assert entry.bytes == entry.where.stat().st_size
        assert 1.5 / len(entry.card.labels) < entry.accuracy < 1  # far above chance


def test_the_catalogue_lists_torchvisions_classifiers_and_their_places(monkeypatch, tmp_path):
    monkeypatch.delenv("EXPLORER_WEIGHTS", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    entries = {entry.name: entry for entry in catalogue(torchvision=True)}
    google = entries["torchvision:googlenet"]
    assert not google.available
    assert tmp_path in google.where.parents
    assert google.parameters == 6_624_904
    assert google.bytes == pytest.approx(52.1e6, rel=1e-3)
    assert (google.group, google.remote.digest) == ("torchvision", "1378be20")


def test_the_bundled_catalogue_does_not_import_torchvision():
    program = (
        "import sys\n"
        "from explorer.classifiers import catalogue\n"
        "from explorer.classifiers.downloads import local_imagenet\n"
        "catalogue(), local_imagenet()\n"
        "assert 'torchvision' not in sys.modules\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr


def test_an_earlier_version_of_the_weights_has_its_own_figures_and_preprocessing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    state = get_model("mobilenet_v3_large", weights=None).state_dict()
    torch.save(state, tmp_path / "mobilenet_v3_large-8738ca79.pth")
    entry = next(
        entry
        for entry in catalogue(torchvision=True)
        if entry.name == "torchvision:mobilenet_v3_large"
    )
    assert entry.accuracy == pytest.approx(0.74042)
    assert load(entry.name, device="cpu").resize == 256  # the later one has 232


def test_the_catalogue_names_the_source_of_its_figures(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_WEIGHTS", str(tmp_path))
    entries = {entry.name: entry for entry in catalogue(torchvision=True)}
    assert [name for name, entry in entries.items() if entry.group == "robust"] == [
        f"madry:{name}" for name in ROBUST
    ]
    linf = entries["madry:resnet50_linf_eps4.0"]
    assert (linf.accuracy, linf.parameters, linf.bytes, linf.available) == (
        0.6386,
        25_557_032,
        None,
        False,
    )
    assert linf.where == tmp_path / "resnet50_linf_eps4.0.ckpt"
    assert linf.remote.url.endswith(
        "/robust-imagenet-models/resolve/main/resnet50_linf_eps4.0.ckpt"
    )
    (reported,) = linf.robust_accuracy
    assert (reported.value, reported.source) == (0.3496, "RobustBench, Salman2020Do_R50")
    assert entries["madry:resnet18_l2_eps3"].remote.digest.startswith("b4315784")
    for entry in entries.values():
        assert entry.accuracy_source
        assert entry.robust == ("robust" in entry.name or entry.group == "robust")
        assert (entry.remote is None) == (entry.group in ("bundled", "packaged"))
