"""Constructed sets of the samples: built once, then read back from the cache folder."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from explorer.classifiers import load
from explorer.datasets.constructed import build as build_module
from explorer.datasets.labelled import DataError
from explorer.files import FileError
from explorer.ui.datasets.computed_sets import computed_set
from explorer.ui.datasets.loaded_set import LoadedSet
from explorer.ui.datasets.set_loading import sample_set
from explorer.ui.jobs.job import Job


@pytest.fixture(scope="module")
def classifier():
    return load("cifar10-standard")


@pytest.fixture(scope="module")
def samples(classifier):
    return sample_set(classifier)


@pytest.fixture
def job():
    return Job("set", lambda job: None)


def test_a_set_is_built_once_and_read_back(classifier, samples, job, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    steps = []
    monkeypatch.setattr(job, "on_step", lambda done, total, loss: steps.append((done, total)))
    built = computed_set("d_det", classifier, samples.set.data, job)
    assert built.name == "d_det"
    assert torch.equal(built.data.labels, (samples.set.data.labels + 1) % 10)
    assert built.reached.float().mean() > 0.5
    assert steps[-1] == (40, 40)

    monkeypatch.setattr(
        build_module, "construct_rows", lambda *_, **__: pytest.fail("it is stored already")
    )
    again = computed_set("d_det", classifier, samples.set.data, job)
    assert again.digest == built.digest


def test_a_tile_knows_its_sample(classifier, samples, job, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    built = computed_set("d_rand", classifier, samples.set.data, job)
    loaded = LoadedSet("", built, sources=samples.titles)
    assert [loaded.sample(index) for index in range(len(built))] == list(samples.titles)
    assert loaded.perceived_label(3) == samples.label(3)


def test_a_cache_that_cannot_be_written_is_a_user_error(
    classifier, samples, job, tmp_path, monkeypatch
):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file"))
    with pytest.raises(FileError, match="EXPLORER_CACHE"):
        computed_set("d_det", classifier, samples.set.data, job)


def test_samples_without_labels_are_a_user_error(classifier, samples, job, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    data = samples.set.data
    unlabelled = replace(data, labels=torch.full_like(data.labels, -1))
    with pytest.raises(DataError, match="no sample picture"):
        computed_set("d_det", classifier, unlabelled, job)
