"""A row of the catalogue: the form of a classifier, what autograd computes in it, and its speed."""

from __future__ import annotations

import pytest
import torch

from explorer.benchmarks.baselines import Baseline
from explorer.benchmarks.catalogue import (
    CatalogueLimits,
    catalogue_names,
    measure_row,
    try_row,
)
from explorer.benchmarks.models import BenchmarkModel, random_classifier
from explorer.classifiers import ClassifierError
from tests.benchmarks.tiny import SETTING, tiny_classifier

LIMITS = CatalogueLimits()
IDENTITY = Baseline("identity", ("torch",), lambda *_: lambda images, labels: images)
ABSENT = Baseline("absent", ("no_such_package",), lambda *_: lambda images, labels: images)


def tiny(name: str) -> BenchmarkModel:
    return BenchmarkModel(tiny_classifier(), random=True)


def row(precision="folded", limits=LIMITS, baseline=IDENTITY):
    return measure_row("tiny", tiny, SETTING, [1, 2], 2, precision, limits, baseline)


def test_a_row_has_the_form_and_a_ratio_for_each_batch():
    measured = row()
    assert (measured.model, measured.random, measured.precision) == ("tiny", True, "folded")
    assert measured.pieces == ()
    assert set(measured.ratio) == set(measured.milliseconds) == {1, 2}
    assert all(low <= middle <= high for low, middle, high in measured.ratio.values())
    # Convolution, forward and backward: 2 · 2 · 16² pixels · 4 · 27 weights, and a small head.
    assert measured.gflop == pytest.approx(4 * 256 * 108 / 1e9, rel=0.01)


def test_the_classifier_itself_is_all_autograds():
    measured = row(precision="auto")
    assert measured.precision == "float32"
    assert measured.pieces == ("the whole network",)
    assert measured.reason == "the network is too small to gain anything"


def test_without_the_library_our_own_time_remains():
    measured = row(baseline=ABSENT)
    assert measured.problem == "absent is not installed"
    assert not measured.ratio
    assert set(measured.milliseconds) == {1, 2}


@pytest.mark.parametrize("limits", [CatalogueLimits(gflop=1e-6), CatalogueLimits(parameters=10)])
def test_what_is_too_large_is_named_and_not_measured(limits):
    measured = row(limits=limits)
    assert "GFLOP a gradient" in measured.problem or "million parameters" in measured.problem
    assert not measured.milliseconds


def test_a_classifier_that_can_not_be_loaded_has_its_sentence():
    def fail():
        raise ClassifierError("its weights are missing")

    assert try_row(fail, "lost").problem == "its weights are missing"


def test_one_that_fails_in_any_other_way_costs_no_other_row():
    def fail():
        raise AssertionError("Wrong image height!")

    assert try_row(fail, "odd").problem == "failed: AssertionError: Wrong image height!"


def test_a_vision_transformer_is_built_for_the_size_of_its_images(monkeypatch):
    """vit_h_14's best weights are for 518 pixels, and torchvision's default is 224."""
    built = {}

    def get_model(name, **options):
        built.update(options)
        raise MemoryError("it has 633 million parameters")

    monkeypatch.setattr("torchvision.models.get_model", get_model)
    with pytest.raises(MemoryError):
        random_classifier("vit_h_14", torch.device("cpu"))
    assert built["image_size"] == 518


def test_the_catalogue_has_the_bundled_and_torchvisions():
    names = catalogue_names()
    assert len(set(names)) == len(names) > 80
    assert {"cifar10-standard", "efficientnet_lite0", "torchvision:vit_b_16"} < set(names)
