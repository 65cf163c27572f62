"""A tile is opened as the image that it is: of the set it belongs to, with the same pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.classifiers import load
from explorer.datasets.constructed.read import ConstructedSet
from explorer.experiments.ilyas2019.five_sets import make_set_image
from explorer.experiments.ilyas2019.five_sets_result import (
    FiveSetsSettings,
    SourceImage,
    StartImage,
)
from explorer.experiments.ilyas2019.model_pair import ModelPair
from explorer.ui.datasets.computed_sets import computed_set
from explorer.ui.datasets.loaded_set import SOURCE_SET, LoadedSet
from explorer.ui.datasets.set_browser import controls_as_built
from explorer.ui.datasets.set_loading import sample_set
from explorer.ui.jobs.job import Job
from tests.ui.app import component, open_page, wait_until_idle

DATASETS = "../pages/datasets.py"
QUICK = {"match_steps": "10", "attack_steps": "5"}


def test_an_image_of_a_bundled_set_has_the_name_of_its_set() -> None:
    at = open_page(DATASETS, **QUICK)
    at.selectbox(key="set").set_value("bundled: cifar10-d_nr-from-noise")
    wait_until_idle(at.run())
    loaded = at.session_state["browsed set"]
    at.session_state[SOURCE_SET] = loaded
    at.session_state["set_index"] = 7
    at.session_state["origin"] = "set"
    wait_until_idle(at.run())
    cards = component(at, "five_sets_row")["cards"]
    assert (cards[0]["name"], cards[0]["title"]) == ("D_NR", "the source, as it is")
    assert [card["name"] for card in cards[1:]] == ["D_R", "D_NR", "D_rand", "D_det"]
    shown = at.session_state["result row"].image("d").image
    np.testing.assert_array_equal((shown * 255).round().byte(), loaded.set.data.images[7])


def test_a_row_has_an_image_of_a_computed_set_as_it_is_there(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    standard, robust = load("cifar10-standard"), load("cifar10-robust")
    samples = sample_set(standard)
    few = samples.set.data.take(torch.tensor([2, 3, 5]))
    job: Job[ConstructedSet] = Job("set", lambda job: pytest.fail("it is not run"))
    loaded = LoadedSet("", computed_set("d_nr", standard, few, job), sources=samples.titles)
    assert loaded.sample(1) == samples.titles[3]
    controls = controls_as_built(loaded, 1)
    settings = FiveSetsSettings(
        controls["match_steps"],
        controls["attack_steps"],
        controls["length"],
        controls["radius"],
        controls["row_seed"],
    )
    images = samples.set.data.images.float() / 255
    start = StartImage(images[samples.titles.index(controls["begin_image"])], None)
    source = SourceImage(images[3], samples.label(3), None, 3)
    image = make_set_image("d_nr", source, start, ModelPair(standard, robust), settings)
    assert image.label == int(loaded.set.data.labels[1])
    # Of a batch, as sets are built, and alone: the last bits of a float32 may differ.
    levels = (image.image * 255).round() - loaded.set.data.images[1].float()
    assert float(levels.abs().max()) <= 1


def test_other_sets_leave_the_controls_as_they_are() -> None:
    assert controls_as_built(LoadedSet("", sample_set(load("cifar10-standard")).set), 0) == {}
