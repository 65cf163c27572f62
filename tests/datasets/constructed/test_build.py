"""Building a set: the same images for any batch, the same bytes for any number of ranks.

Only missing or damaged shards are built, and a folder belongs to one plan.
"""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace

import pytest
import torch

from explorer.datasets.constructed import batches, shards
from explorer.datasets.constructed.batches import construct_batch
from explorer.datasets.constructed.build import build
from explorer.datasets.constructed.constructions import CONSTRUCTIONS, D_DET, D_NR, D_R, NOISE
from explorer.datasets.constructed.manifest import MANIFEST
from explorer.datasets.constructed.plan import load_or_write_plan, make_plan
from explorer.datasets.constructed.read import read_set
from explorer.datasets.constructed.shards import check_shard
from explorer.datasets.labelled import DataError
from explorer.errors import Cancelled
from explorer.files import FileError

QUICK = replace(D_DET, steps=2)


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(shards, "SHARD_ROWS", 10)


def plan_for(tiny, pictures, construction=QUICK, **options):
    options = {"precision": "float32", **options}
    return make_plan(construction, tiny, pictures, source="there", **options)


def build_in(folder, plan, tiny, pictures, **options):
    folder.mkdir(exist_ok=True)
    plan = load_or_write_plan(plan, folder, automatic=False)
    return build(plan, tiny, pictures, folder, **options)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


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


def damage(path, how, other):
    data = bytearray(path.read_bytes())
    if how == "truncated":
        del data[len(data) // 2 :]
    elif how == "empty":
        data.clear()
    elif how == "pixel":
        data[len(data) // 4] ^= 1
    elif how == "class name":
        data[data.index(b"ship")] ^= 1
    else:
        data = other.read_bytes()
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("truncated", "can't be read"),
        ("empty", "can't be read"),
        ("pixel", "can't be read"),
        ("class name", "its bytes were changed"),
        ("of another job", "belongs to another job"),
    ],
)
def test_a_damaged_shard_is_noticed_and_built_again(tiny, pictures, tmp_path, how, words):
    folder, other, plan = tmp_path / "a", tmp_path / "other", plan_for(tiny, pictures)
    build_in(folder, plan, tiny, pictures)
    build_in(other, plan_for(tiny, pictures, seed=1), tiny, pictures)
    before, reports = contents(folder), []
    damage(folder / "data-00002-of-00004.parquet", how, other / "data-00002-of-00004.parquet")
    with pytest.raises(DataError, match=r"data-00002-of-00004\.parquet was changed or damaged"):
        read_set(folder)
    build_in(folder, plan, tiny, pictures, report=reports.append)
    (note,) = [report.note for report in reports if report.note]
    assert note.startswith("data-00002-of-00004.parquet is made again")
    assert words in note
    assert contents(folder) == before


def test_every_flipped_bit_of_a_shard_is_noticed(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures, rows=range(5))
    build_in(tmp_path, plan, tiny, pictures)
    name, rows, stamp = plan.shards[0]
    path = tmp_path / name
    whole = path.read_bytes()
    assert check_shard(path, len(rows), plan.classes, stamp) is None
    generator = torch.Generator().manual_seed(0)
    version = whole.index(b"parquet-cpp-arrow")  # of the library that wrote the file
    for at in torch.randint(len(whole), (60,), generator=generator).tolist():
        if version <= at < version + 40:
            continue
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        assert check_shard(path, len(rows), plan.classes, stamp), at
    path.write_bytes(whole)
    assert "5 rows instead of 6" in str(check_shard(path, 6, plan.classes, stamp))


def test_a_full_disk_is_one_sentence_and_keeps_finished_shards(
    tiny, pictures, tmp_path, monkeypatch
):
    plan, synced, real = plan_for(tiny, pictures), [], os.fsync
    build_in(tmp_path / "undisturbed", plan, tiny, pictures)

    def fsync(descriptor):
        synced.append(descriptor)
        if len(synced) > 3:  # the plan and two shards
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    sentence = r"the disk is full: .*data-00002-of-00004.parquet was not written. What is done is"
    with pytest.raises(FileError, match=f"{sentence} kept"):
        build_in(tmp_path / "full", plan, tiny, pictures)
    remaining = sorted(contents(tmp_path / "full"))
    assert remaining == ["data-00000-of-00004.parquet", "data-00001-of-00004.parquet", "plan.json"]
    with pytest.raises(DataError, match=r"unfinished set \(2 of 4 shards\)"):
        read_set(tmp_path / "full")
    monkeypatch.setattr(os, "fsync", real)
    build_in(tmp_path / "full", plan, tiny, pictures)
    assert contents(tmp_path / "full") == contents(tmp_path / "undisturbed")


def test_a_folder_belongs_to_one_plan(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures)
    load_or_write_plan(plan, tmp_path, automatic=False)
    with torch.no_grad():
        tiny.module.head.bias += 1
    for other, words in (
        (plan_for(tiny, pictures), "the model's weights differ"),
        (replace(plan, seed=1), "the seed differ"),
        (
            replace(plan, construction=replace(D_NR, steps=2)),
            "the construction's parameters differ",
        ),
        (replace(plan, rows=plan.rows[:20]), "the rows differ"),
        (replace(plan, source_digest="0", torch="0"), "the data and torch's version differ"),
    ):
        with pytest.raises(DataError, match=words):
            load_or_write_plan(other, tmp_path, automatic=False)
    assert (
        load_or_write_plan(replace(plan, source="elsewhere"), tmp_path, automatic=False).digest
        == plan.digest
    )
    assert load_or_write_plan(replace(plan, precision="bfloat16"), tmp_path, automatic=True) == plan
    for text in ("{", "[" * 100_000):
        (tmp_path / "plan.json").write_text(text)
        with pytest.raises(DataError, match=r"plan.json can't be read"):
            load_or_write_plan(plan, tmp_path, automatic=False)
    for precision in ("x", None, []):
        (tmp_path / "plan.json").write_text(json.dumps(plan.as_dict() | {"precision": precision}))
        with pytest.raises(DataError, match=r"plan.json names no known precision"):
            load_or_write_plan(plan, tmp_path, automatic=True)


def test_a_plan_without_rows_is_refused(tiny, pictures):
    with pytest.raises(DataError, match="leaves no images to build from"):
        plan_for(tiny, pictures, rows=())


def test_a_precision_that_the_machine_lacks_is_refused(tiny, pictures, tmp_path):
    plan = replace(plan_for(tiny, pictures), precision="bfloat16")
    tiny.module.features = None  # a model that can't run can't be copied
    tiny.module.forward = None
    with pytest.raises(DataError, match="begun in bfloat16, which this machine can't do"):
        build(plan, tiny, pictures, tmp_path)


def test_a_file_system_without_links_works(tiny, pictures, tmp_path, monkeypatch):
    def no_link(*_):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    plan = plan_for(tiny, pictures)
    load_or_write_plan(plan, tmp_path, automatic=False)
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    load_or_write_plan(plan, tmp_path, automatic=False)
    with pytest.raises(DataError, match="the seed differ"):
        load_or_write_plan(replace(plan, seed=1), tmp_path, automatic=False)


def test_what_killed_processes_left_is_removed(tiny, pictures, tmp_path):
    plan = plan_for(tiny, pictures)
    build_in(tmp_path, plan, tiny, pictures)
    whole = contents(tmp_path)
    (tmp_path / "data-00001-of-00004.parquet").unlink()
    (tmp_path / ".explorer-0123456789abcdef.part").write_bytes(b"half")
    build_in(tmp_path, plan, tiny, pictures)
    assert contents(tmp_path) == whole


def test_a_complete_set_is_not_written_again(tiny, pictures, tmp_path, monkeypatch):
    """It may lie in a folder that can only be read."""
    plan = plan_for(tiny, pictures)
    build_in(tmp_path, plan, tiny, pictures)
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("something is written"))
    assert build_in(tmp_path, plan, tiny, pictures)


def test_a_batch_too_large_for_the_device_is_made_in_smaller_ones(
    tiny, pictures, tmp_path, monkeypatch
):
    plan, sizes = plan_for(tiny, pictures), []
    build_in(tmp_path / "undisturbed", plan, tiny, pictures)

    def at_most_eight(plan, classifier, data, indices, *callbacks):
        sizes.append(len(indices))
        if len(indices) > 8:
            raise torch.OutOfMemoryError
        return construct_batch(plan, classifier, data, indices, *callbacks)

    monkeypatch.setattr(batches, "construct_batch", at_most_eight)
    build_in(tmp_path / "small", plan, tiny, pictures)
    assert {10, 8, 2} <= set(sizes)
    assert read_set(tmp_path / "small").digest == read_set(tmp_path / "undisturbed").digest

    def never(*_):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(batches, "construct_batch", never)
    with pytest.raises(DataError, match="do not fit into the device's memory; use --device cpu"):
        build_in(tmp_path / "none", plan, tiny, pictures)


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
