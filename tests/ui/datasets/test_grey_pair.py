"""The data page with a pair of a person's own Python functions, for grey images [N, 1, H, W]."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explorer.classifiers import load
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.images.geometry import to_grey
from explorer.ui.datasets.session_set import as_constructed_set
from tests.ui.app import component, wait_until_idle
from tests.ui.datasets.test_datasets_page import open_datasets, press, row

SOURCE = """
import torch
from torch import nn
from explorer.classifiers import Classifier

LABELS = "airplane automobile bird cat deer dog frog horse ship truck".split()

def make(seed, robust):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(392, 10))
    return Classifier(net.eval(), labels=LABELS, input_size=(16, 16), mean=(0.5,), std=(0.25,),
                      gallery="cifar10", robust=robust)

def standard():
    return make(0, False)

def robust():
    return make(1, True)

def colour():
    net = nn.Sequential(nn.Flatten(), nn.Linear(768, 10))
    return Classifier(net, labels=LABELS, input_size=(16, 16))
"""


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "grey.py"
    path.write_text(SOURCE)
    monkeypatch.setenv("EXPLORER_MODELS", f"{path}:standard,{path}:robust,{path}:none")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    return path


def test_every_part_of_the_page_works_in_grey(functions: Path) -> None:
    pair = f"{functions}:standard and {functions}:robust"
    at = open_datasets(pair=pair, begin="noise")
    assert not at.error
    assert at.selectbox(key="pair").value == pair
    images = row(at).images
    assert {tuple(image.image.shape) for image in images} == {(1, 16, 16)}
    assert tuple(images[1].start.shape) == (1, 16, 16)
    assert len(component(at, "tile_grid")["tiles"]) == 20  # of the samples, with confidences

    built = press(at, "d_r")
    assert built.image.from_noise
    assert built.image.objective[-1] < built.image.objective[0]
    stored = as_constructed_set((built,)).data.images
    assert torch.equal(to_grey(stored)[0] / 255, built.image.image)

    at.selectbox(key="set").set_value("from the samples: D_det")
    wait_until_idle(at.run())
    assert not at.error
    assert "made here: D_R" in at.selectbox(key="set").options
    tiles = component(at, "tile_grid")["tiles"]
    assert len(tiles) == 20
    assert all(len(tile["bars"]) == 2 for tile in tiles)

    at.button_group(key="origin").set_value("set")
    wait_until_idle(at.run())
    assert not at.error
    assert row(at).images[0].set_name == "d_det"


def test_a_pair_takes_images_of_one_kind(functions: Path) -> None:
    grey, colour = (load(f"{functions}:{name}") for name in ("standard", "colour"))
    with pytest.raises(ValueError, match="differ in classes, input size or colour"):
        ModelPair(grey, colour)
