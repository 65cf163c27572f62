"""The constructed sets of the samples: made once, read back after that, kept where the person says."""

from __future__ import annotations

import pytest
import torch

from explorer.classifiers import load
from explorer.datasets.constructed import build as build_module
from explorer.ui.datasets.computed_sets import computed_set
from explorer.ui.datasets.set_loading import sample_set
from explorer.ui.jobs.worker import Job, Refused


@pytest.fixture(scope="module")
def samples():
    found = sample_set("cifar10-standard")
    assert found is not None
    return found


def test_made_once_and_read_back(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    maker, steps = load("cifar10-standard"), []
    job = Job("someone", "set", lambda job: None)
    monkeypatch.setattr(job, "on_step", lambda done, of, loss: steps.append((done, of)))
    made = computed_set("d_det", maker, samples.set.data, job)
    assert made.name == "d_det"
    assert torch.equal(made.data.labels, (samples.set.data.labels + 1) % 10)
    assert made.reached.float().mean() > 0.5
    assert steps[-1] == (40, 40)

    monkeypatch.setattr(build_module, "construct", lambda *_: pytest.fail("it was there already"))
    again = computed_set("d_det", maker, samples.set.data, job)
    assert again.digest == made.digest


def test_a_tile_knows_its_sample(samples, tmp_path, monkeypatch):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    from explorer.ui.datasets.loaded_set import LoadedSet

    made = computed_set(
        "d_rand",
        load("cifar10-standard"),
        samples.set.data,
        Job("someone", "set", lambda job: None),
    )
    opened = LoadedSet("", made, sources=samples.titles)
    assert [opened.sample(i) for i in range(len(made))] == list(samples.titles)
    assert opened.perceived_label(3) == samples.label(3)


def test_a_cache_that_can_not_be_written_is_one_sentence(samples, tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "file"))
    with pytest.raises(Refused, match="EXPLORER_CACHE"):
        computed_set(
            "d_det",
            load("cifar10-standard"),
            samples.set.data,
            Job("someone", "set", lambda job: None),
        )
