"""Building a set: the same images for any batch, the same bytes for any number of ranks.

Only missing shards are built, and each row has its origin.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest
import torch

from explorer.datasets.constructed import batches, shards
from explorer.datasets.constructed.batches import construct_batch
from explorer.datasets.constructed.constructions import CONSTRUCTIONS, D_NR, D_R, NOISE
from explorer.datasets.constructed.manifest import MANIFEST
from explorer.datasets.constructed.read import read_set
from explorer.errors import Cancelled
from tests.datasets.constructed.building import QUICK, build_in, contents, plan_for

pytestmark = pytest.mark.usefixtures("small_shards")


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CONSTRUCTIONS)
def test_the_batch_does_not_change_a_row(tiny, pictures, name, precision):
    plan = plan_for(tiny, pictures, replace(CONSTRUCTIONS[name], steps=4), precision=precision)
    assert plan.precision == precision
    whole = construct_batch(plan, tiny, pictures, range(12))
    backwards = construct_batch(plan, tiny, pictures, range(11, -1, -1))[::-1]
    singly = [construct_batch(plan, tiny, pictures, [index])[0] for index in range(12)]
    for row, *others in zip(whole, backwards, singly, strict=True):
        for other in others:
            assert torch.equal(row.image, other.image)
            assert replace(row, image=other.image, objective=other.objective) == other
            # The objective's last bit may differ.
            assert row.objective == pytest.approx(other.objective, rel=1e-4)


def test_the_batch_size_does_not_change_the_images(tiny, pictures, tmp_path, monkeypatch):
    plan = plan_for(tiny, pictures)
    build_in(tmp_path / "a", plan, tiny, pictures)
    monkeypatch.setitem(batches.BATCH_VALUES, "cpu", 1)
    build_in(tmp_path / "b", plan, tiny, pictures)
    assert read_set(tmp_path / "a").digest == read_set(tmp_path / "b").digest


def test_three_ranks_write_the_same_bytes_as_one_process(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures, replace(D_R, steps=2))
    assert build_in(tmp_path / "one", plan, tiny, pictures)
    assert not build_in(tmp_path / "three", plan, tiny, pictures, rank=2, world=3)
    assert not build_in(tmp_path / "three", plan, tiny, pictures, rank=0, world=3)
    assert not (tmp_path / "three" / MANIFEST).exists()
    assert build_in(tmp_path / "three", plan, tiny, pictures, rank=1, world=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


def test_finished_shards_are_not_built_again(tiny, pictures, tmp_path):
    plan, reports = plan_for(tiny, pictures), []
    with pytest.raises(Cancelled):
        build_in(
            tmp_path,
            plan,
            tiny,
            pictures,
            report=reports.append,
            cancelled=lambda: reports[-1].done >= 20,
        )
    assert sorted(path.name for path in tmp_path.glob("data-*")) == [
        "data-00000-of-00004.parquet",
        "data-00001-of-00004.parquet",
    ]
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("data-*")}
    reports.clear()
    assert build_in(tmp_path, plan, tiny, pictures, report=reports.append)
    assert (reports[0].done, reports[0].total, reports[0].rate) == (20, 40, 0.0)
    assert reports[-1].done == 40
    assert all(path.stat().st_mtime_ns == before for path, before in written.items())


def test_a_complete_set_is_not_written_again(tiny, pictures, tmp_path, monkeypatch):
    """It may lie in a folder that can only be read."""
    plan = plan_for(tiny, pictures)
    build_in(tmp_path, plan, tiny, pictures)
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("something is written"))
    assert build_in(tmp_path, plan, tiny, pictures)


def test_rows_have_their_origin(tiny, pictures, tmp_path):
    subset = pictures.take(torch.arange(3, 40))
    for construction, folder in (
        (replace(D_NR, steps=3), tmp_path / "nr"),
        (replace(D_NR, steps=3, start=NOISE), tmp_path / "noise"),
        (QUICK, tmp_path / "det"),
    ):
        build_in(folder, plan_for(tiny, subset, construction, rows=range(12)), tiny, subset)
    matched, noised, attacked = (read_set(tmp_path / name) for name in ("nr", "noise", "det"))
    for dataset in (matched, noised, attacked):
        # Counted in the whole source, removed images included.
        assert dataset.source_index.tolist() == list(range(3, 15))
        assert torch.equal(dataset.source_label, pictures.labels[3:15])
        assert torch.equal(dataset.survives_8bit, dataset.predicted == dataset.data.labels)
        with torch.no_grad():
            predicted = tiny(dataset.data.images.float() / 255).argmax(dim=1)
        assert torch.equal(predicted, dataset.predicted)
    assert torch.equal(matched.data.labels, matched.source_label)
    assert torch.equal(matched.start_label, pictures.labels[matched.start_index])
    assert (matched.target == -1).all()
    assert (noised.start_index == -1).all()
    assert torch.equal(attacked.target, (attacked.source_label + 1) % 3)
    assert torch.equal(attacked.data.labels, attacked.target)


def test_a_person_sees_the_source_or_the_start(tiny, pictures, tmp_path):
    for name, construction in (
        ("r", replace(D_R, steps=1)),
        ("nr", replace(D_NR, steps=1)),
        ("noise", replace(D_NR, steps=1, start=NOISE)),
        ("det", QUICK),
    ):
        plan = plan_for(tiny, pictures, construction, rows=range(12))
        build_in(tmp_path / name, plan, tiny, pictures)
    sources = pictures.labels[:12].tolist()
    starts = read_set(tmp_path / "nr").start_label.tolist()
    for name, expected in (
        ("r", sources),
        ("nr", starts),
        ("noise", [None] * 12),
        ("det", sources),
    ):
        dataset = read_set(tmp_path / name)
        assert [dataset.perceived_label(index) for index in range(12)] == expected
    alone = read_set(tmp_path / "r" / "data-00000-of-00002.parquet")  # of an unknown construction
    assert alone.perceived_label(0) is None


def test_the_manifest_holds_the_plan_and_every_shards_digest(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures)
    build_in(tmp_path, plan, tiny, pictures)
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    assert manifest["plan"] == plan.digest
    assert [entry["rows"] for entry in manifest["shards"]] == [10, 10, 10, 10]
    assert manifest["construction"]["name"] == "d_det"
    assert json.loads((tmp_path / "plan.json").read_text()).items() <= manifest.items()
